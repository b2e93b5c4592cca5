import { performance } from 'node:perf_hooks';

interface Timer {
  readonly due: number;
  readonly callback: () => void;
  handle: NodeJS.Timeout | undefined;
}

/** The longest that a timer of Node can wait. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Real time plus whatever was advanced. Give it to the library too, so that both move together. */
export class SimulatedClock {
  readonly #timers = new Set<Timer>();
  #advancedMs = 0;

  /** Epoch milliseconds. */
  now(): number {
    return Date.now() + this.#advancedMs;
  }

  /** Milliseconds since an arbitrary moment; never goes back. */
  monotonic(): number {
    return performance.now() + this.#advancedMs;
  }

  /**
   * Moves time forward by `ms` milliseconds; what was to happen in between happens before this returns. Throws a
   * RangeError on anything but a finite number of at least 0.
   */
  advance(ms: number): void {
    if (!Number.isFinite(ms) || ms < 0)
      throw new RangeError(`A clock advances by 0 or more milliseconds, not by ${ms}`);
    this.#advancedMs += ms;
    for (const timer of [...this.#timers].toSorted((a, b) => a.due - b.due)) {
      if (timer.due <= this.monotonic() && this.#timers.has(timer)) this.#fire(timer);
    }
  }

  /**
   * Calls back once, `ms` milliseconds of this clock from now, unless the returned function is called before. Does not keep
   * the process alive.
   */
  after(ms: number, callback: () => void): () => void {
    const timer: Timer = { due: this.monotonic() + ms, callback, handle: undefined };
    this.#timers.add(timer);
    this.#wait(timer);
    return () => this.#forget(timer);
  }

  #wait(timer: Timer): void {
    const ms = timer.due - this.monotonic();
    timer.handle = setTimeout(
      () => {
        if (timer.due > this.monotonic()) this.#wait(timer);
        else this.#fire(timer);
      },
      Math.min(Math.max(ms, 0), MAX_TIMEOUT_MS),
    ).unref();
  }

  #fire(timer: Timer): void {
    this.#forget(timer);
    timer.callback();
  }

  #forget(timer: Timer): void {
    clearTimeout(timer.handle);
    this.#timers.delete(timer);
  }
}
