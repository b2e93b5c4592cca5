import { Unavailability } from '../authentication/reviewer.ts';

/** Ends a wait, whether or not what is waited for heeds its signal. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Rejects when the time is over; never resolves. */
  readonly passed: Promise<never>;
  readonly remainingMs: () => number;
}

/**
 * @param waitedMs how much of the time is over already
 * @throws {Unavailability} `api_server_timeout` once the time is over
 */
export async function withDeadline<T>(
  timeoutMs: number,
  waitedMs: number,
  work: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  const leftMs = Math.max(0, timeoutMs - waitedMs);
  const endsAt = performance.now() + leftMs;
  const remainingMs = (): number => endsAt - performance.now();
  const abort = new AbortController();
  const { promise: passed, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const timeout = new Unavailability('api_server_timeout', `No answer within ${timeoutMs} ms`);
    reject(timeout);
    abort.abort(timeout);
  }, leftMs);
  try {
    return await Promise.race([passed, work({ signal: abort.signal, passed, remainingMs })]);
  } finally {
    clearTimeout(timer);
  }
}
