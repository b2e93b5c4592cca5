import type { Bench } from '../bench.ts';
import { Child } from '../child.ts';
import type { GuardedRoute, GuardsAnswers } from '../processes/guards.ts';
import { Rounds } from '../rounds.ts';
import { atMost, type Goal, type Row } from '../row.ts';

/** What guards add to a request whose identity, and whose decision, is remembered. */
export async function guards({ connection, tokens, rounds, turnMs, say }: Bench): Promise<Row[]> {
  await using child = new Child<GuardsAnswers>(new URL('../processes/guards.ts', import.meta.url));
  await child.ask('prepare', { connection, token: tokens[0] ?? '' });
  const turnOf = (route: GuardedRoute) => (): Promise<number> => child.ask('nanoseconds', { route, turnMs });
  const subjects = {
    none: turnOf('none'),
    namespaceAndPod: turnOf('namespaceAndPod'),
    fixedPermission: turnOf('fixedPermission'),
    computedPermission: turnOf('computedPermission'),
  };
  const onRound = (round: number): void => say(`round ${round}`);
  const measured = await Rounds.of(subjects, [], { ...rounds, onRound });
  const note = `${Math.round(measured.spread('none').median)} ns without any, in Express' router`;
  const row = (guard: GuardedRoute, what: string, goal?: Goal): Row => ({
    id: `guard-${guard}`,
    measure: `${what}, beyond an authenticated request`,
    unit: 'ns of CPU',
    value: measured.difference(guard, 'none'),
    goal,
    note,
  });
  return [
    row('namespaceAndPod', '`requireNamespace` and `requireBoundPod`'),
    row('fixedPermission', '`requirePermission` of fixed attributes, decided before', atMost(3_000)),
    row('computedPermission', '`requirePermission` of attributes from the request, decided before', atMost(3_000)),
  ];
}
