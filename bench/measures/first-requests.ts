import type { Bench } from '../bench.ts';
import { Child } from '../child.ts';
import type { FirstRequestsAnswers } from '../processes/first-requests.ts';
import { Rounds } from '../rounds.ts';
import { atLeast, type Row } from '../row.ts';

const atOnce = 64;

/** Tokens that nobody has seen before, 64 at once. */
export async function firstRequests({ cluster, tokens, rounds, isQuick, say }: Bench): Promise<Row[]> {
  const connection = await cluster.ask('quickApiServer', undefined);
  await using child = new Child<FirstRequestsAnswers>(new URL('../processes/first-requests.ts', import.meta.url));
  await child.ask('prepare', connection);
  // All new to the library; the others do not remember any.
  const perTurn = isQuick ? 512 : 1_024;
  let next = 0;
  const turnOf = (way: string, count: number) => (): Promise<number> => {
    const turn = tokens.slice(next, next + count);
    if (way === 'library') next += count;
    return child.ask('millisecondsPerToken', { way, tokens: turn, atOnce });
  };
  const subjects = {
    library: turnOf('library', perTurn),
    undici: turnOf('undici', perTurn),
    'client-node': turnOf('client-node', atOnce * 2),
  };
  const enough = Math.floor(tokens.length / perTurn) - 1;
  const measured = await Rounds.of(
    subjects,
    [
      ['client-node', 'library'],
      ['undici', 'library'],
    ],
    {
      atLeast: Math.min(rounds.atLeast, enough),
      atMost: Math.min(rounds.atMost, enough),
      onRound: (round) => say(`round ${round}`),
    },
  );
  const note = (Object.keys(subjects) as (keyof typeof subjects)[])
    .map((name) => `${name} ${(measured.spread(name).median * 1000).toFixed(0)} µs a token`)
    .join(', ');
  const measure = `first requests a second, ${atOnce} at once`;
  return [
    {
      id: 'first-requests-client-node',
      measure,
      unit: '× client-node as it comes',
      value: measured.ratio('client-node', 'library'),
      goal: atLeast(10),
      note,
    },
    {
      id: 'first-requests-undici',
      measure,
      unit: '× pooled `undici.request`, body by hand',
      value: measured.ratio('undici', 'library'),
      goal: atLeast(0.6),
    },
    {
      id: 'undici-client-node',
      measure: `${measure}, by pooled \`undici.request\``,
      unit: '× client-node as it comes',
      value: measured.ratio('client-node', 'undici'),
    },
  ];
}
