import type { UnavailabilityCode } from './errors.ts';
import { StacklessError } from './stackless-error.ts';

/** What the API server says of a token: `status` of a TokenReview, its types checked and nothing concluded yet. */
export type Review =
  | {
      readonly authenticated: true;
      readonly username: string;
      readonly uid: string;
      readonly groups: readonly string[];
      readonly extra: Readonly<Record<string, readonly string[]>>;
      readonly audiences: readonly string[];
    }
  | {
      readonly authenticated: false;
      /** The API server's words. They differ between versions: for the operator, never for decisions. */
      readonly error: string;
    };

export type Circuit = 'closed' | 'half_open' | 'open';

/**
 * Who shares the reviews with whom, from the whole to the part: parts of one whole have their turns one after the other,
 * however much each of them asks for.
 */
export type Share = readonly string[];

/** How a review waits for its turn. */
export interface Turn {
  readonly share: Share;
  /** For how long the token has been waiting already, in milliseconds: a part of the time that the review may take. */
  readonly waitedMs: number;
}

/** What performs reviews for us. */
export interface Reviewer {
  /**
   * One TokenReview. Ends within a bounded time, whatever happens.
   *
   * @param turn default: one of our own, of a token that has not waited
   * @throws {Unavailability} where no verdict could be had
   */
  review(token: string, turn?: Turn): Promise<Review>;
  /**
   * Whether a review could start at once. Reviews off the request's path yield to those that a request waits for.
   */
  hasSpareCapacity(): boolean;
  /** `open` while the API server is not asked because it kept failing; `half_open` while it is tried again. */
  readonly circuit: Circuit;
  /**
   * Resolves once a review was answered, which proves configuration, connection, credential and rights.
   *
   * @throws {Unavailability}
   */
  ready(): Promise<void>;
  /** Releases connections and timers. */
  close(): Promise<void>;
}

/** Nobody could say whether the token is good. The reason is for the operator, and free of secrets. */
export class Unavailability extends StacklessError {
  readonly code: UnavailabilityCode;
  readonly retryAfterSeconds: number | undefined;

  static {
    this.prototype.name = 'Unavailability';
  }

  constructor(code: UnavailabilityCode, reason: string, retryAfterSeconds?: number) {
    super(reason);
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export const authenticatorClosed = (): Unavailability =>
  new Unavailability('authenticator_closed', 'The authenticator is closed');
