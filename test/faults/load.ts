import { setTimeout as sleep } from 'node:timers/promises';
import type { Callers } from './callers.ts';
import type { Answer, Stage } from './stage.ts';

/**
 * A valid caller that the service has known for long, sees for the first time, or saw for the first time during the fault;
 * and who must not get in.
 */
export type Kind = 'known' | 'new' | 'returning' | 'forged' | 'refused' | Hopeless;

/** Nobody needs to be asked about these. */
const hopelessKinds = ['expired', 'for someone else', 'no token', 'no JWT'] as const;
export type Hopeless = (typeof hopelessKinds)[number];

export function isHopeless(kind: Kind): kind is Hopeless {
  return hopelessKinds.some((one) => one === kind);
}

export interface Call extends Answer {
  readonly kind: Kind;
}

const pauseMs = 80;

/** Calls the service all the time, until it is stopped: with new valid tokens, a known one, and all kinds of bad ones. */
export class Load {
  readonly #stage: Stage;
  readonly #tokens: Callers['tokens'];
  readonly #tokenAgeMs: number;
  readonly #pending = new Set<Promise<void>>();
  readonly #calls: Call[] = [];
  readonly #known: string | undefined;
  readonly #running: Promise<void>;
  #returning: string | undefined;
  #isStopped = false;

  /** @param tokenAgeMs how old new callers' tokens are */
  constructor(stage: Stage, { tokens }: Callers, known: string | undefined, tokenAgeMs = 0) {
    this.#stage = stage;
    this.#tokens = tokens;
    this.#tokenAgeMs = tokenAgeMs;
    this.#known = known;
    this.#running = this.#run();
    // Whoever stops it is told.
    this.#running.catch(() => {});
  }

  /** Those that were answered so far, in the order of their answers. */
  get calls(): readonly Call[] {
    return this.#calls;
  }

  /** Has a valid caller come again and again from now on, with a token that nobody has seen. */
  bringReturning(token: string): void {
    this.#returning = token;
  }

  /** Resolves when the last call was answered. Rejects where one was not: the service must not drop a caller. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
    await Promise.all(this.#pending);
  }

  async #run(): Promise<void> {
    const { valid, refused, forged, expired, forSomeoneElse } = this.#tokens;
    const hopeless: Readonly<Record<Hopeless, () => string | undefined>> = {
      expired,
      'for someone else': forSomeoneElse,
      'no token': () => undefined,
      'no JWT': () => 'no-token-at-all',
    };
    for (let round = 0; !this.#isStopped; round += 1) {
      this.#begin('new', valid(this.#tokenAgeMs));
      if (this.#returning !== undefined) this.#begin('returning', this.#returning);
      if (this.#known !== undefined) this.#begin('known', this.#known);
      this.#begin('forged', forged());
      const kind = hopelessKinds[round % hopelessKinds.length] ?? 'expired';
      if (kind === 'expired') this.#begin('refused', refused());
      // Awaited, so that a machine that has other things to do is not given more of this than it can bear.
      await this.#call(kind, hopeless[kind]());
      await sleep(pauseMs);
    }
  }

  #begin(kind: Kind, token: string | undefined): void {
    const call = this.#call(kind, token);
    this.#pending.add(call);
    call.then(
      () => this.#pending.delete(call),
      () => {},
    );
  }

  async #call(kind: Kind, token: string | undefined): Promise<void> {
    this.#calls.push({ kind, ...(await this.#stage.call(token)) });
  }
}
