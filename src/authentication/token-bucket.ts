import type { Clock } from './clock.ts';

/** How much a bucket allows: `burst` at once and `perSecond` in the long run. */
export interface Budget {
  readonly burst: number;
  readonly perSecond: number;
}

/** Allows what its budget says. */
export class TokenBucket {
  readonly #budget: Budget;
  readonly #clock: Clock;
  #available: number;
  #refilledAt: number;

  constructor(budget: Budget, clock: Clock) {
    this.#budget = budget;
    this.#clock = clock;
    this.#available = budget.burst;
    this.#refilledAt = clock.monotonic();
  }

  /** @param reserve how much of the burst must be left after it */
  take(reserve = 0): boolean {
    if (this.#refilled() < 1 + reserve) return false;
    this.#available -= 1;
    return true;
  }

  /** Takes what may not be there: it is owed then, and nothing is to be had until it is refilled. */
  charge(): void {
    this.#available = this.#refilled() - 1;
  }

  giveBack(): void {
    this.#available = Math.min(this.#budget.burst, this.#refilled() + 1);
  }

  get isEmpty(): boolean {
    return this.#refilled() < 1;
  }

  #refilled(): number {
    const { burst, perSecond } = this.#budget;
    const now = this.#clock.monotonic();
    this.#available = Math.min(burst, this.#available + ((now - this.#refilledAt) / 1000) * perSecond);
    this.#refilledAt = now;
    return this.#available;
  }
}
