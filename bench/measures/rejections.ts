import type { Bench } from '../bench.ts';
import { Child } from '../child.ts';
import type { LoadAnswers } from '../processes/load.ts';
import type { ServiceAnswers } from '../processes/service.ts';
import { Rounds } from '../rounds.ts';
import { atMost, type Row } from '../row.ts';
import { withReviews } from '../with-reviews.ts';

/** What a rejection that is remembered costs a whole Express service, against an acceptance that is. */
export async function rejections({ cluster, connection, tokens, isQuick, rounds, say }: Bench): Promise<Row[]> {
  const keySet = await cluster.ask('keySet', undefined);
  await using service = new Child<ServiceAnswers>(new URL('../processes/service.ts', import.meta.url));
  await using load = new Child<LoadAnswers>(new URL('../processes/load.ts', import.meta.url));
  const url = await service.ask('start', { kind: 'library', connection, keySet });
  const refused = await cluster.ask('refusedToken', undefined);
  await load.ask('run', { url, tokens: [refused], connections: 1, amount: 1, expectedStatus: 401 });
  await load.ask('run', { url, tokens: tokens.slice(0, 1), connections: 1, amount: 1, expectedStatus: 200 });
  const cpuPerRequest = (token: string, expectedStatus: number) => async (): Promise<number> => {
    const before = await service.ask('cpu', undefined);
    const seconds = isQuick ? 0.5 : 1;
    const turn = { url, tokens: [token], connections: 32, expectedStatus };
    const { requests } = await withReviews(service, 0, () => load.ask('run', { ...turn, seconds }));
    return ((await service.ask('cpu', undefined)) - before) / requests;
  };
  const measured = await Rounds.of(
    { rejection: cpuPerRequest(refused, 401), acceptance: cpuPerRequest(tokens[0] ?? '', 200) },
    [['rejection', 'acceptance']],
    { ...rounds, onRound: (round) => say(`round ${round}`) },
  );
  const [rejection, acceptance] = (['rejection', 'acceptance'] as const).map((name) =>
    measured.spread(name).median.toFixed(1),
  );
  return [
    {
      id: 'rejection',
      measure: 'CPU of a rejection from the cache',
      unit: '× an acceptance',
      value: measured.ratio('rejection', 'acceptance'),
      goal: atMost(1.5),
      note: `${rejection} µs against ${acceptance} µs a request`,
    },
  ];
}
