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

  constructor(perform: ReviewFunction, audiences: readonly string[], limits: ReviewLimits, release: () => void) {
    this.#perform = perform;
    this.#audiences = audiences;
    this.#timeoutMs = limits.timeoutMs;
    this.#policy = new ReviewPolicy(limits);
    this.#release = release;
  }

  async review(token: string, { share, waitedMs }: Turn = ownTurn): Promise<Review> {
    try {
      return await withDeadline(this.#timeoutMs, waitedMs, (deadline) => this.#inTurn(token, share, deadline));
    } catch (error) {
      throw this.#asUnavailability(error, token);
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
    this.#release();
  }

  async #inTurn(token: string, share: Share, deadline: Deadline): Promise<Review> {
    const { signal, passed } = deadline;
    // Raced here too, so that a performer that does not heed its signal gives its turn back.
    const attempt = (): Promise<unknown> =>
      Promise.race([passed, this.#perform(tokenReviewRequest(token, this.#audiences), { signal })]);
    return reviewOf(await this.#policy.execute(attempt, deadline, share), token);
  }

  #asUnavailability(error: unknown, token: string): Unavailability {
    if (error instanceof Unavailability) return error;
    if (error instanceof QueueFull) {
      return new Unavailability('review_queue_full', 'Too many reviews are waiting for their turn');
    }
    if (error instanceof BrokenCircuitError) {
      const why = this.#policy.lastOutage?.message;
      return new Unavailability('api_server_down', `The API server is not asked for a moment: ${why}`);
    }
    return new Unavailability('reviewer_failed', `The reviewer failed: ${wordsOf(error, [token])}`);
  }
}
