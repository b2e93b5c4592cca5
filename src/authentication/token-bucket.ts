import type { Clock } from './clock.ts';

/** Allows `burst` at once and `perSecond` in the long run. */
export class TokenBucket {
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #clock: Clock;
  #available: number;
  #refilledAt: number;

  constructor(burst: number, perSecond: number, clock: Clock) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#clock = clock;
    this.#available = burst;
    this.#refilledAt = clock.monotonic();
  }

  take(): boolean {
    const now = this.#clock.monotonic();
    const refill = ((now - this.#refilledAt) / 1000) * this.#perSecond;
    this.#available = Math.min(this.#burst, this.#available + refill);
    this.#refilledAt = now;
    if (this.#available < 1) return false;
    this.#available -= 1;
    return true;
  }
}
