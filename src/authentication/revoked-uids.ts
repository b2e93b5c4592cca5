import type { Clock } from './clock.ts';

/** About 6 MB when full, which takes 50 deletions a second. */
const maxUids = 65_536;

/**
 * The uids of what is gone or about to go. An API server vouches for a deleted object for a while, so a review alone would
 * bring it back; its uid never comes back. Uids are kept in two generations, so that forgetting costs nothing.
 */
export class RevokedUids {
  readonly #retentionMs: number;
  readonly #maxPerGeneration: number;
  readonly #clock: Clock;
  #current = new Map<string, number>();
  #previous = new Map<string, number>();
  #currentSince: number;
  #completeSince = Number.NEGATIVE_INFINITY;

  /** @param retentionMs for how long a uid is remembered at least, unless there are too many */
  constructor(retentionMs: number, clock: Clock, max: number = maxUids) {
    this.#retentionMs = retentionMs;
    this.#maxPerGeneration = max / 2;
    this.#clock = clock;
    this.#currentSince = clock.monotonic();
  }

  /** On the monotonic clock. Some that were remembered before then had to be forgotten too early. */
  get completeSince(): number {
    return this.#completeSince;
  }

  get size(): number {
    return this.#current.size + this.#previous.size;
  }

  /** @param from in epoch milliseconds: 0 for what is gone */
  add(uid: string, from: number): void {
    const known = this.#current.get(uid) ?? this.#previous.get(uid);
    this.#makeRoom();
    this.#current.set(uid, known === undefined ? from : Math.min(known, from));
  }

  /** From when on that uid is refused, in epoch milliseconds. What is asked about goes on being remembered. */
  refusedFrom(uid: string): number | undefined {
    const current = this.#current.get(uid);
    if (current !== undefined) return current;
    const previous = this.#previous.get(uid);
    if (previous !== undefined) this.add(uid, previous);
    return previous;
  }

  #makeRoom(): void {
    const now = this.#clock.monotonic();
    const isOld = now - this.#currentSince >= this.#retentionMs;
    if (!isOld && this.#current.size < this.#maxPerGeneration) return;
    const forgotten = this.#previous;
    this.#previous = this.#current;
    this.#current = new Map();
    if (!isOld && forgotten.size > 0) this.#completeSince = this.#currentSince;
    this.#currentSince = now;
    if (isOld) this.#keepPending(forgotten);
  }

  /** What terminates slowly must be remembered until it is refused, and as long from then on as all else. */
  #keepPending(forgotten: ReadonlyMap<string, number>): void {
    const past = this.#clock.now() - this.#retentionMs;
    for (const [uid, from] of forgotten) {
      if (from <= past) continue;
      if (this.#previous.size < this.#maxPerGeneration) this.#previous.set(uid, from);
      else this.#completeSince = this.#currentSince;
    }
  }
}
