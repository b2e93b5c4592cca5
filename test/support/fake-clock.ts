import type { Clock } from '../../src/authentication/clock.ts';

/** A clock that stands still until a test moves it: both of its hands, or one alone. */
export class FakeClock implements Clock {
  #wall = 1_800_000_000_000;
  #monotonic = 5_000;

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  advance(ms: number): void {
    this.advanceWall(ms);
    this.advanceMonotonic(ms);
  }

  advanceWall(ms: number): void {
    this.#wall += ms;
  }

  advanceMonotonic(ms: number): void {
    this.#monotonic += ms;
  }
}
