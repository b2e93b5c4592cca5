import {
  circuitBreaker,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  DelegateBackoff,
  ExponentialBackoff,
  handleWhen,
  type IRetryBackoffContext,
  retry,
} from 'cockatiel';
import { type Circuit, type Share, Unavailability } from '../authentication/reviewer.ts';
import type { Deadline } from './deadline.ts';
import { FairQueue } from './fair-queue.ts';

export interface ReviewLimits {
  /** For one review, the time it waits for its turn and its retries included. */
  readonly timeoutMs: number;
  readonly maxConcurrent: number;
  readonly maxQueued: number;
}

const maxRetries = 3;
const firstBackoffMs = 100;
/** So many failures in a row, and the API server is not asked for a while. */
const failuresThatOpen = 10;
const firstPauseMs = 1_000;
const longestPauseMs = 10_000;

/** What a moment later may have passed: reset, refused, 429, 500, 502, 503, 504. */
const passing = new Set<string>(['api_server_unreachable', 'api_server_overloaded']);
const isPassing = (error: unknown): boolean => error instanceof Unavailability && passing.has(error.code);
const isOutage = (error: unknown): boolean =>
  isPassing(error) || (error instanceof Unavailability && error.code === 'api_server_timeout');

/**
 * How reviews are sent: retried where that may help, so many at once, the others by their shares in turn, and not to an
 * API server that is down.
 */
export class ReviewPolicy {
  readonly #queue: FairQueue;
  readonly #breaker: CircuitBreakerPolicy;
  readonly #backoff: DelegateBackoff<IRetryBackoffContext<unknown>>;
  readonly #belated = new WeakSet<Unavailability>();
  #circuitChanges = 0;
  #openedAt = { wall: 0, monotonic: 0 };

  constructor({ maxConcurrent, maxQueued }: Omit<ReviewLimits, 'timeoutMs'>, random: () => number = Math.random) {
    this.#backoff = new DelegateBackoff<IRetryBackoffContext<unknown>>(({ attempt, result }) => {
      const exponential = firstBackoffMs * 2 ** (attempt - 1) * (0.5 + random() / 2);
      return Math.max(exponential, 'error' in result ? retryAfterMs(result.error) : 0);
    });
    this.#queue = new FairQueue(maxConcurrent, maxQueued);
    this.#breaker = circuitBreaker(
      handleWhen((error) => isOutage(error) && !this.#belated.has(error as Unavailability)),
      {
        breaker: new ConsecutiveBreaker(failuresThatOpen),
        halfOpenAfter: new ExponentialBackoff({ initialDelay: firstPauseMs, maxDelay: longestPauseMs }),
      },
    );
    this.#breaker.onStateChange(() => {
      this.#circuitChanges += 1;
    });
    this.#breaker.onBreak(() => {
      this.#openedAt = { wall: Date.now(), monotonic: performance.now() };
    });
  }

  /** @throws {QueueFull | BrokenCircuitError} at once, and whatever the last attempt throws */
  execute<T>(
    attempt: () => Promise<T>,
    { signal, remainingMs }: Pick<Deadline, 'signal' | 'remainingMs'>,
    share: Share,
  ): Promise<T> {
    // A server that wants to be left alone for longer than the caller still waits is left alone.
    const isWorthRetrying = (error: unknown): boolean => isPassing(error) && retryAfterMs(error) < remainingMs();
    const retries = retry(handleWhen(isWorthRetrying), { maxAttempts: maxRetries, backoff: this.#backoff });
    const wholeMs = remainingMs();
    const attemptOnce = (): Promise<T> => {
      this.#endOverlongPause();
      return this.#breaker.execute(() => this.#timely(attempt, remainingMs() < wholeMs / 2), signal);
    };
    return retries.execute(() => this.#queue.run(share, attemptOnce, signal), signal);
  }

  /** The breaker's pauses are by the wall clock: one that was set back would keep it open for as long. */
  #endOverlongPause(): void {
    const { wall, monotonic } = this.#openedAt;
    const isOver = performance.now() - monotonic >= longestPauseMs;
    if (this.#breaker.state !== CircuitState.Open || !isOver || Date.now() - wall >= longestPauseMs) return;
    this.#breaker.isolate().dispose();
  }

  /**
   * What hung in an outage fails when that may be over: it says nothing of a server that is being tried, or has answered.
   * Neither does a timeout of what waited for its turn until little time was left: one share's flood is nobody's outage.
   */
  async #timely<T>(attempt: () => Promise<T>, isHurried: boolean): Promise<T> {
    const changes = this.#circuitChanges;
    const isTrying = this.#breaker.state !== CircuitState.Closed;
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof Unavailability) {
        const isOutOfTime = isHurried && !isTrying && error.code === 'api_server_timeout';
        if (isOutOfTime || changes !== this.#circuitChanges) this.#belated.add(error);
      }
      throw error;
    }
  }

  /** Whether a review could start at once. */
  get hasSpareCapacity(): boolean {
    return this.#queue.hasSpareCapacity && this.#breaker.state === CircuitState.Closed;
  }

  /** Why the API server could not be asked when that last happened. */
  get lastOutage(): Unavailability | undefined {
    const failure = this.#breaker.lastFailure;
    return failure !== undefined && 'error' in failure && failure.error instanceof Unavailability
      ? failure.error
      : undefined;
  }

  get circuit(): Circuit {
    if (this.#breaker.state === CircuitState.Closed) return 'closed';
    return this.#breaker.state === CircuitState.HalfOpen ? 'half_open' : 'open';
  }
}

const retryAfterMs = (error: unknown): number =>
  error instanceof Unavailability ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
