import type { Share } from '../authentication/reviewer.ts';

/** There is no room for it in the queue, or somebody else had more right to its room. */
export class QueueFull extends Error {}

interface Waiting {
  readonly start: () => void;
  readonly refuse: (reason: unknown) => void;
}

/**
 * So much work at once, and the rest in turn: not first come, first served, but one of each share after the other, so
 * that who asks much waits behind himself. Where the queue is full, the longest share gives way.
 */
export class FairQueue {
  readonly #maxConcurrent: number;
  readonly #maxQueued: number;
  readonly #queue = new Line();
  #running = 0;

  constructor(maxConcurrent: number, maxQueued: number) {
    this.#maxConcurrent = maxConcurrent;
    this.#maxQueued = maxQueued;
  }

  get hasSpareCapacity(): boolean {
    return this.#running < this.#maxConcurrent;
  }

  /**
   * @param share whose turn it is to use up
   * @param signal ends the wait for a turn, not the work
   * @throws {QueueFull}
   */
  async run<T>(share: Share, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    if (this.hasSpareCapacity) this.#running += 1;
    else await this.#turn(share, signal);
    try {
      return await work();
    } finally {
      this.#passOn();
    }
  }

  async #turn(share: Share, signal: AbortSignal | undefined): Promise<void> {
    if (this.#queue.length >= this.#maxQueued) this.#makeRoom(share);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting = { start: resolve, refuse: reject };
    this.#queue.add(share, waiting);
    const abandon = (): void => {
      if (this.#queue.remove(share, waiting)) reject(signal?.reason);
    };
    signal?.addEventListener('abort', abandon, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', abandon);
    }
  }

  #makeRoom(share: Share): void {
    const evicted = this.#queue.evictFor(share);
    if (evicted === undefined) throw new QueueFull();
    evicted.refuse(new QueueFull());
  }

  /** Hands a place that has become free to whose turn it is, or gives it back. */
  #passOn(): void {
    const next = this.#queue.next();
    if (next === undefined) this.#running -= 1;
    else next.start();
  }
}

/** Those who wait for one share: in a row where it has no parts, else in a line of each part. */
class Line {
  /** In the order in which they have their turns. None of them is empty. */
  readonly #parts = new Map<string, Line>();
  readonly #row: Waiting[] = [];
  length = 0;

  add([name, ...rest]: Share, waiting: Waiting): void {
    this.length += 1;
    if (name === undefined) {
      this.#row.push(waiting);
      return;
    }
    const part = this.#parts.get(name) ?? new Line();
    this.#parts.set(name, part);
    part.add(rest, waiting);
  }

  /** Takes out whose turn it is. */
  next(): Waiting | undefined {
    const [first] = this.#parts;
    if (first === undefined) return this.#removedFromRow(0);
    const [name, part] = first;
    const next = part.next();
    this.length -= 1;
    this.#parts.delete(name);
    if (part.length > 0) this.#parts.set(name, part);
    return next;
  }

  remove([name, ...rest]: Share, waiting: Waiting): boolean {
    if (name === undefined) return this.#removedFromRow(this.#row.indexOf(waiting)) !== undefined;
    const part = this.#parts.get(name);
    if (!part?.remove(rest, waiting)) return false;
    this.#shortened(name, part);
    return true;
  }

  /** Takes out who has least right to wait while a newcomer of that share wants to: `undefined` where it is the newcomer. */
  evictFor([name, ...rest]: Share): Waiting | undefined {
    if (name === undefined) return undefined;
    const [longest, own] = [this.#longestPart(), this.#parts.get(name)];
    if (longest === undefined) return undefined;
    if (longest[1].length > (own?.length ?? 0) + 1) return this.#removeLast();
    const evicted = own?.evictFor(rest);
    if (own !== undefined && evicted !== undefined) this.#shortened(name, own);
    return evicted;
  }

  /** Takes out the last of the longest part of the longest part. */
  #removeLast(): Waiting | undefined {
    const longest = this.#longestPart();
    if (longest === undefined) return this.#removedFromRow(this.#row.length - 1);
    const last = longest[1].#removeLast();
    this.#shortened(...longest);
    return last;
  }

  #longestPart(): [name: string, part: Line] | undefined {
    let longest: [string, Line] | undefined;
    for (const one of this.#parts) if (one[1].length > (longest?.[1].length ?? 0)) longest = one;
    return longest;
  }

  #removedFromRow(index: number): Waiting | undefined {
    if (index < 0) return undefined;
    const [removed] = this.#row.splice(index, 1);
    if (removed !== undefined) this.length -= 1;
    return removed;
  }

  #shortened(name: string, part: Line): void {
    this.length -= 1;
    if (part.length === 0) this.#parts.delete(name);
  }
}
