import type { Bench } from '../bench.ts';
import { Child } from '../child.ts';
import type { LoadAnswers } from '../processes/load.ts';
import type { ServiceAnswers } from '../processes/service.ts';
import { Rounds } from '../rounds.ts';
import { atMost, type Row } from '../row.ts';
import { quantile } from '../spread.ts';
import { withReviews } from '../with-reviews.ts';

const newTokensPerSecond = 1_000;
const cachedPerSecond = 500;

/** What those in the cache notice while many new tokens are reviewed. */
export async function latency({ cluster, tokens, isQuick, rounds, say }: Bench): Promise<Row[]> {
  const connection = await cluster.ask('quickApiServer', undefined);
  const keySet = await cluster.ask('keySet', undefined);
  await using service = new Child<ServiceAnswers>(new URL('../processes/service.ts', import.meta.url));
  await using callers = new Child<LoadAnswers>(new URL('../processes/load.ts', import.meta.url));
  await using newcomers = new Child<LoadAnswers>(new URL('../processes/load.ts', import.meta.url));
  const url = await service.ask('start', { kind: 'library', connection, keySet });
  const [known = '', ...unknown] = tokens;
  const seconds = 1;
  // Reviewed here, and not again.
  await callers.ask('pace', { url, tokens: [known], perSecond: 1, seconds: 1 });
  const p99 = async (): Promise<number> => {
    const paced = { url, tokens: [known], perSecond: cachedPerSecond, seconds };
    const latencies = await callers.ask('pace', paced);
    return quantile(
      latencies.toSorted((one, other) => one - other),
      0.99,
    );
  };
  let next = 0;
  const busy = async (): Promise<number> => {
    const own = unknown.slice(next, next + newTokensPerSecond * seconds);
    next += own.length;
    const [during] = await withReviews(service, own.length, () =>
      Promise.all([p99(), newcomers.ask('pace', { url, tokens: own, perSecond: newTokensPerSecond, seconds })]),
    );
    return during;
  };
  const quiet = (): Promise<number> => withReviews(service, 0, p99);
  const enough = Math.floor(unknown.length / (newTokensPerSecond * seconds)) - 1;
  const measured = await Rounds.of({ busy, quiet }, [['busy', 'quiet']], {
    atLeast: isQuick ? 4 : Math.min(enough, rounds.atLeast),
    atMost: isQuick ? 4 : enough,
    onRound: (round) => say(`round ${round}`),
  });
  const [during, otherwise] = (['busy', 'quiet'] as const).map((name) => measured.spread(name).median.toFixed(2));
  return [
    {
      id: 'latency',
      measure: `p99 latency of cached requests while ${newTokensPerSecond.toLocaleString('en')} new tokens/s are reviewed`,
      unit: '× quiet',
      value: measured.ratio('busy', 'quiet'),
      goal: atMost(1.5),
      note: `${during} ms against ${otherwise} ms`,
    },
  ];
}
