import { setTimeout as sleep } from 'node:timers/promises';
import type { AuthenticatorStatus } from '../../src/authentication/authenticator.ts';
import type { LogEntry } from '../../src/authentication/log.ts';
import type { TestCluster } from '../cluster/conformance/test-cluster.ts';
import type { Callers } from './callers.ts';
import type { Fault } from './fault.ts';
import { type Call, isHopeless, type Kind, Load } from './load.ts';
import { type Answer, setStage, type Stage } from './stage.ts';

const calmMs = 200;
const defaultLastsMs = 2_000;
/** So many valid callers in a row let in, and the service has recovered. */
const recoveredAfter = 5;
const directEveryMs = 250;
/** Longer than the longest recovery that is allowed: whoever waits in vain sees how long it took. */
const patienceMs = 30_000;

/** What came of a fault. Times are milliseconds. */
export interface Observation {
  /** All that were answered: before the fault, while it lasted, after it. */
  readonly calls: readonly Call[];
  /** Those that began and ended while it lasted. */
  readonly during: readonly Call[];
  /** TokenReviews sent while it lasted, retries included. */
  readonly reviewsSent: number;
  /** From its end until the first of the valid callers who were all let in. */
  readonly recoveryMs: number;
  /** One of each kind, after the recovery. */
  readonly after: Readonly<Record<'valid' | 'known' | 'forged' | 'refused' | 'expired' | 'forSomeoneElse', Answer>>;
  readonly logged: readonly LogEntry[];
  readonly logLines: readonly string[];
  readonly status: AuthenticatorStatus;
  /**
   * What those waited at worst who needed no review, who asked the API server directly, or asked before the fault, on the
   * same machine: it is no fault of the service.
   */
  readonly machineMs: number;
}

/**
 * Makes a fault happen and end, under constant load.
 *
 * @param isOfTheServer whether it happens to the API server itself, so that nobody else can ask it either
 */
export async function observe(
  cluster: TestCluster,
  callers: Callers,
  fault: Fault,
  isOfTheServer: boolean,
): Promise<Observation> {
  await using stage = await setStage(cluster, fault.stage);
  const { tokens } = callers;
  const known = tokens.valid();
  let readyMs = 0;
  if (!fault.fromTheStart) {
    const began = performance.now();
    await readyWithKeys(stage);
    readyMs = performance.now() - began;
    const { status } = await stage.call(known);
    if (status !== 200) throw new Error(`Before the fault a valid caller got ${status}: ${stage.logLines.join('')}`);
  }
  let lift = fault.fromTheStart ? await fault.happen(stage) : undefined;
  const load = new Load(stage, callers, fault.fromTheStart ? undefined : known, fault.tokenAgeMs);
  const direct = isOfTheServer ? undefined : new DirectCaller(cluster);
  try {
    if (lift === undefined) {
      await sleep(calmMs);
      lift = await fault.happen(stage);
    }
    load.bringReturning(tokens.valid(fault.tokenAgeMs));
    const happened = performance.now();
    const callsBefore = stage.calls;
    await sleep(fault.lastsMs ?? defaultLastsMs);
    const reviewsSent = stage.calls - callsBefore;
    const ending = performance.now();
    await lift();
    const recoveryMs = await recovery(load);
    await load.stop();
    const hopeless = load.calls.filter(({ kind }) => isHopeless(kind)).map(({ tookMs }) => tookMs);
    return {
      calls: load.calls,
      during: load.calls.filter(({ began, tookMs }) => began >= happened && began + tookMs <= ending),
      reviewsSent,
      recoveryMs,
      after: await oneOfEach(stage, callers, known),
      logged: stage.logged,
      logLines: stage.logLines,
      status: stage.authenticator.status(),
      machineMs: Math.max(readyMs, direct?.longestMs ?? 0, ...hopeless),
    };
  } finally {
    await Promise.all([load.stop(), direct?.stop()]);
  }
}

/** After which keys that could not be had are asked for again. */
const keysCooldownMs = 30_000;

/** A machine may be too busy to answer the first time. */
async function readyWithKeys({ authenticator, clock }: Stage): Promise<void> {
  await authenticator.ready();
  while (authenticator.status().keysFetchedAt === undefined) {
    clock.advance(keysCooldownMs);
    await authenticator.ready();
  }
}

/** Resolves once valid callers are let in again, those too whom the fault has kept out before. */
async function recovery(load: Load): Promise<number> {
  const lifted = performance.now();
  while (performance.now() - lifted < patienceMs) {
    const [first, returning] = [firstLetIn(load, 'new', lifted), firstLetIn(load, 'returning', lifted)];
    if (first !== undefined && returning !== undefined) return Math.max(first, returning) - lifted;
    await sleep(20);
  }
  return Infinity;
}

/** When the first of those who were all let in began; `undefined` while there are too few of them. */
function firstLetIn(load: Load, whoever: Kind, lifted: number): number | undefined {
  const since = load.calls.filter(({ kind, began }) => kind === whoever && began >= lifted);
  const inOrder = since.toSorted((a, b) => a.began - b.began);
  const first = inOrder.findLastIndex(({ status }) => status !== 200) + 1;
  return inOrder.length - first >= recoveredAfter ? inOrder[first]?.began : undefined;
}

async function oneOfEach(stage: Stage, { tokens }: Callers, known: string): Promise<Observation['after']> {
  return {
    valid: await stage.call(tokens.valid()),
    known: await stage.call(known),
    forged: await stage.call(tokens.forged()),
    refused: await stage.call(tokens.refused()),
    expired: await stage.call(tokens.expired()),
    forSomeoneElse: await stage.call(tokens.forSomeoneElse()),
  };
}

/** Asks the API server directly all the time, around everything that may go wrong. */
class DirectCaller {
  readonly #running: Promise<void>;
  #isStopped = false;
  longestMs = 0;

  constructor(cluster: TestCluster) {
    this.#running = this.#run(cluster);
    // Whoever stops it is told.
    this.#running.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #run({ client }: TestCluster): Promise<void> {
    while (!this.#isStopped) {
      const began = performance.now();
      await client.request('GET', '/version');
      this.longestMs = Math.max(this.longestMs, performance.now() - began);
      await sleep(directEveryMs);
    }
  }
}
