import { BrokenCircuitError } from 'cockatiel';
import {
  type Circuit,
  type Review,
  type Reviewer,
  type Share,
  type Turn,
  Unavailability,
} from '../authentication/reviewer.ts';
import { type Deadline, withDeadline } from './deadline.ts';
import { QueueFull } from './fair-queue.ts';
import { type ReviewLimits, ReviewPolicy } from './review-policy.ts';
import { reviewOf, type TokenReviewRequest, tokenReviewRequest } from './token-review.ts';
import { wordsOf } from './words-of.ts';

/**
 * Performs one TokenReview: `tokenReview` is the request's body, and what it resolves with is the answer's. It is
 * checked strictly, so that `createTokenReview` of any client will do.
 */
export type ReviewFunction = (
  tokenReview: TokenReviewRequest,
  options: { readonly signal: AbortSignal },
) => Promise<unknown>;

/** A token that no API server can accept: for proving that reviews are answered. */
const impossibleToken = 'readiness-probe';
/** Where no caller asks but we. */
const ownTurn: Turn = { share: ['own'], waitedMs: 0 };

/** Reviews under one deadline and one policy, whatever performs them. */
export class BoundedReviewer implements Reviewer {
  readonly #perform: ReviewFunction;
  readonly #audiences: readonly string[];
  readonly #timeoutMs: number;
  readonly #policy: ReviewPolicy;
  readonly #release: () => void;
  readonly #inFlight = new Set<Promise<unknown>>();

  constructor(perform: ReviewFunction, audiences: readonly string[], limits: ReviewLimits, release: () => void) {
    this.#perform = perform;
    this.#audiences = audiences;
    this.#timeoutMs = limits.timeoutMs;
    this.#policy = new ReviewPolicy(limits);
    this.#release = release;
  }

  async review(token: string, turn: Turn = ownTurn): Promise<Review> {
    const perform = (signal: AbortSignal): Promise<unknown> =>
      this.#perform(tokenReviewRequest(token, this.#audiences), { signal });
    return this.#inTurn(perform, (answer) => reviewOf(answer, token), turn, [token]);
  }

  /**
   * Another question about a caller, under the same deadline and policy as the reviews, and in turn with them. `close()`
   * waits for it.
   *
   * @throws {Unavailability} where no answer could be had
   */
  inTurn<T>(perform: (signal: AbortSignal) => Promise<unknown>, read: (answer: unknown) => T, turn: Turn): Promise<T> {
    const answer = this.#inTurn(perform, read, turn, []).finally(() => this.#inFlight.delete(answer));
    this.#inFlight.add(answer);
    return answer;
  }

  /** @param secrets what no message may hold */
  async #inTurn<T>(
    perform: (signal: AbortSignal) => Promise<unknown>,
    read: (answer: unknown) => T,
    { share, waitedMs }: Turn,
    secrets: readonly string[],
  ): Promise<T> {
    try {
      return read(await withDeadline(this.#timeoutMs, waitedMs, (deadline) => this.#attempt(perform, share, deadline)));
    } catch (error) {
      throw this.#asUnavailability(error, secrets);
    }
  }

  hasSpareCapacity(): boolean {
    return this.#policy.hasSpareCapacity;
  }

  get circuit(): Circuit {
    return this.#policy.circuit;
  }

  async ready(): Promise<void> {
    await this.review(impossibleToken);
  }

  async close(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.allSettled(this.#inFlight);
    this.#release();
  }

  #attempt(perform: (signal: AbortSignal) => Promise<unknown>, share: Share, deadline: Deadline): Promise<unknown> {
    const { signal, passed } = deadline;
    // Raced here too, so that a performer that does not heed its signal gives its turn back.
    return this.#policy.execute(() => Promise.race([passed, perform(signal)]), deadline, share);
  }

  #asUnavailability(error: unknown, secrets: readonly string[]): Unavailability {
    if (error instanceof Unavailability) return error;
    if (error instanceof QueueFull) {
      return new Unavailability('review_queue_full', 'Too many reviews are waiting for their turn');
    }
    if (error instanceof BrokenCircuitError) {
      const why = this.#policy.lastOutage?.message;
      return new Unavailability('api_server_down', `The API server is not asked for a moment: ${why}`);
    }
    return new Unavailability('reviewer_failed', `The reviewer failed: ${wordsOf(error, secrets)}`);
  }
}
