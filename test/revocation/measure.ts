import { setTimeout as sleep } from 'node:timers/promises';
import { Caller } from './caller.ts';
import type { Target } from './targets.ts';

export interface Measured {
  /** From the DELETE's answer to the first refusal, in milliseconds, in ascending order. */
  readonly refusedAfterMs: readonly number[];
  /** The latest that a request of something deleted began and was accepted, in milliseconds after the DELETE's answer. */
  readonly lastAcceptedAfterMs: number;
  /** Requests of something deleted that were accepted. */
  readonly accepted: number;
  /** How many were accepted again after their first refusal. */
  readonly cameBack: number;
  /** Requests of something deleted that were answered in another way: 503. */
  readonly unavailable: number;
  /** Requests of what was not deleted, and how many of them were not accepted. */
  readonly alive: number;
  readonly aliveRefused: number;
}

const requestsPerSecond = 50;
const deleteEveryMs = 100;
/** At first often, to see milliseconds; later seldom, so that reviews on every request do not become the load. */
const often = { everyMs: 3, forMs: 300 };
const seldomMs = 500;
const watchedAfterwardsMs = 15_000;
const longestMs = 120_000;

/**
 * Deletes one after the other while all are in use, and asks for each until it is refused, and 15 s more.
 *
 * @param refusal the status that then is the right one
 */
export async function measure(
  targets: readonly Target[],
  service: { readonly port: number },
  refusal: 401 | 403,
): Promise<Measured> {
  using caller = new Caller(service.port);
  const living = new Set(targets);
  let [alive, aliveRefused] = [0, 0];
  const ask = async (target: Target): Promise<void> => {
    const status = await caller.status(target);
    if (!living.has(target)) return;
    alive += 1;
    if (status !== 200) aliveRefused += 1;
  };
  for (const target of targets) await ask(target);
  // Past the API server's own memory of when the tokens were young.
  await sleep(1_000);

  let isOver = false;
  const load = (async () => {
    for (let turn = 0; !isOver; turn += 1) {
      const target = targets[turn % targets.length];
      if (target && living.has(target)) void ask(target);
      await sleep(1_000 / requestsPerSecond);
    }
  })();
  const deaths: Promise<Death>[] = [];
  for (const target of targets) {
    living.delete(target);
    await target.delete();
    deaths.push(follow(caller, target, refusal, performance.now()));
    await sleep(deleteEveryMs);
  }
  const ended = await Promise.all(deaths);
  isOver = true;
  await load;
  return {
    refusedAfterMs: ended.map(({ refusedAfterMs }) => refusedAfterMs).toSorted((one, other) => one - other),
    lastAcceptedAfterMs: Math.max(...ended.map(({ lastAcceptedAfterMs }) => lastAcceptedAfterMs)),
    accepted: ended.reduce((sum, { accepted }) => sum + accepted, 0),
    cameBack: ended.filter(({ cameBack }) => cameBack).length,
    unavailable: ended.reduce((sum, { unavailable }) => sum + unavailable, 0),
    alive,
    aliveRefused,
  };
}

interface Death {
  readonly refusedAfterMs: number;
  readonly lastAcceptedAfterMs: number;
  readonly accepted: number;
  readonly cameBack: boolean;
  readonly unavailable: number;
}

async function follow(caller: Caller, target: Target, refusal: 401 | 403, deletedAt: number): Promise<Death> {
  let [refusedAfterMs, lastAcceptedAfterMs, accepted, cameBack] = [Number.POSITIVE_INFINITY, 0, 0, false];
  let unavailable = 0;
  for (;;) {
    const began = performance.now() - deletedAt;
    const status = await caller.status(target);
    if (status === 200) {
      accepted += 1;
      lastAcceptedAfterMs = began;
      cameBack ||= refusedAfterMs < Number.POSITIVE_INFINITY;
    } else if (status === refusal) refusedAfterMs = Math.min(refusedAfterMs, performance.now() - deletedAt);
    else unavailable += 1;
    if (began > Math.min(refusedAfterMs + watchedAfterwardsMs, longestMs)) break;
    await sleep(began < often.forMs && refusedAfterMs === Number.POSITIVE_INFINITY ? often.everyMs : seldomMs);
  }
  return { refusedAfterMs, lastAcceptedAfterMs, accepted, cameBack, unavailable };
}
