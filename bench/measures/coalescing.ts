import type { Bench } from '../bench.ts';
import { Child } from '../child.ts';
import type { LoadAnswers } from '../processes/load.ts';
import type { ServiceAnswers } from '../processes/service.ts';
import { exactly, type Row, single } from '../row.ts';

const requests = 10_000;
const connections = 500;
/** Time enough for all of them to arrive while the first is being reviewed. */
const reviewMs = 5_000;

/** Concurrent first requests of one token. */
export async function coalescing({ cluster, connection, tokens, say }: Bench): Promise<Row[]> {
  const keySet = await cluster.ask('keySet', undefined);
  await using service = new Child<ServiceAnswers>(new URL('../processes/service.ts', import.meta.url));
  await using load = new Child<LoadAnswers>(new URL('../processes/load.ts', import.meta.url));
  const review = { timeoutMs: 60_000 };
  const url = await service.ask('start', { kind: 'library', connection, keySet, review });
  const before = await cluster.ask('tokenReviews', undefined);
  await cluster.ask('delayNextReview', reviewMs);
  say(`${requests} requests of one token`);
  const pipelining = requests / connections;
  const token = tokens.slice(0, 1);
  await load.ask('run', { url, tokens: token, connections, pipelining, amount: requests, expectedStatus: 200 });
  const reviews = (await cluster.ask('tokenReviews', undefined)) - before;
  const atOnce = await service.ask('peakPending', undefined);
  if (atOnce < requests) throw new Error(`only ${atOnce} of ${requests} requests had come when the review ended`);
  return [
    {
      id: 'coalescing',
      measure: `TokenReviews for ${requests.toLocaleString('en')} concurrent first requests of one token`,
      unit: 'TokenReviews',
      value: single(reviews),
      goal: exactly(1),
      isHard: true,
    },
  ];
}
