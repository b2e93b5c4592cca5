/** Where time comes from. Tests hand in one that they move; the simulated cluster offers its own as `cluster.clock`. */
export interface Clock {
  /** Wall-clock time in epoch milliseconds: what `exp`, `nbf` and `iat` are compared with. */
  now(): number;
  /** Milliseconds that never jump: what ages are measured with. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
