import { LRUCache } from 'lru-cache';
import type { Clock } from '../authentication/clock.ts';
import type { AuthenticatorEvents } from '../authentication/events.ts';
import type { Log } from '../authentication/log.ts';
import { Unavailability } from '../authentication/reviewer.ts';
import type { ServiceAccountIdentity } from '../authentication/service-account-identity.ts';
import { type AccessQuestion, described } from './access-question.ts';
import type { AccessReview, AccessReviewer } from './access-reviewer.ts';
import type { PermissionsSource } from './permissions-source.ts';

/** How long decisions may be used after their review began, in milliseconds, and how many are remembered. */
export interface DecisionLimits {
  readonly maxEntries: number;
  readonly maxAgeMs: number;
  readonly denialMaxAgeMs: number;
}

export interface AccessDecisionsParts {
  readonly reviewer: AccessReviewer;
  /** What tells of changed rights, asked once there is a decision to make; none: decisions are used for their time. */
  readonly permissions?: PermissionsSource | undefined;
  readonly limits: DecisionLimits;
  readonly clock: Clock;
  readonly log: Log;
  /** Is told of every review that ended. */
  readonly onReviewed: (event: AuthenticatorEvents['accessReviewed']) => void;
}

/** One caller may hold this part of the decisions, and have so many reviews in flight: others need some too. */
const shareOfOne = 0.1;
const maxReviewsOfOne = 256;

/**
 * After a right was changed, replicas of the API server that have not heard of it still answer by the old ones, so that
 * an allowance from that time is not kept for long.
 */
const unsettledMs = 5_000;
const unsettledMaxAgeMs = 1_000;
/**
 * Even the one that told us answers by the old rights for some milliseconds more, since what it decides by is told of the
 * change as we are: what it says so soon is asked about again as soon.
 */
const tellingMs = 50;
/** A review is begun anew where rights changed while it ran, and not for ever. */
const maxReviewsPerDecision = 3;

interface Decision {
  readonly key: string;
  readonly allowed: boolean;
  /** On the monotonic clock. */
  readonly usableUntil: number;
}

/** What is known, and being found out, of one caller. */
interface Subject {
  readonly decisions: Map<string, Decision>;
  readonly reviews: Map<string, Promise<boolean>>;
}

/**
 * Who may do what, as SubjectAccessReviews decided it. Decisions hang on the identity object, which every request with
 * the same token shares until its next TokenReview: once nobody is given that object any more, after a revocation too,
 * nobody meets its decisions. Errors are never remembered.
 */
export class AccessDecisions {
  readonly #parts: AccessDecisionsParts;
  readonly #maxDecisionsOfOne: number;
  /** All decisions by age of use, each with the caller's map that it stands in. */
  readonly #byUse: LRUCache<Decision, Subject['decisions']>;
  #subjects = new WeakMap<ServiceAccountIdentity, Subject>();
  #changes = 0;
  #changedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: AccessDecisionsParts) {
    this.#parts = parts;
    const { maxEntries } = parts.limits;
    this.#maxDecisionsOfOne = Math.max(1, Math.ceil(maxEntries * shareOfOne));
    this.#byUse = new LRUCache({ max: maxEntries, dispose: (decisions, { key }) => decisions.delete(key) });
  }

  /** How many are remembered. */
  get size(): number {
    return this.#byUse.size;
  }

  /** Synchronous where the decision is known. Rejects with an `Unavailability` where there is none to be had. */
  decide(identity: ServiceAccountIdentity, question: AccessQuestion): boolean | Promise<boolean> {
    const subject = this.#subjects.get(identity);
    return (subject && this.#known(subject, question.key)) ?? this.#ask(identity, question);
  }

  /** Rights have changed, who knows which: nothing decided before is used again, nor what is being decided. */
  permissionsChanged(): void {
    this.#changes += 1;
    this.#changedAt = this.#parts.clock.monotonic();
    // An empty one is as long to clear as a full one.
    if (this.#byUse.size > 0) this.#byUse.clear();
  }

  #known({ decisions }: Subject, key: string): boolean | undefined {
    const decision = decisions.get(key);
    if (decision === undefined) return undefined;
    if (this.#parts.clock.monotonic() < decision.usableUntil) {
      this.#byUse.get(decision);
      return decision.allowed;
    }
    this.#byUse.delete(decision);
    return undefined;
  }

  #ask(identity: ServiceAccountIdentity, question: AccessQuestion): Promise<boolean> {
    const subject = this.#subjectOf(identity);
    const { reviews } = subject;
    const running = reviews.get(question.key);
    if (running !== undefined) return running;
    if (reviews.size >= maxReviewsOfOne) return Promise.reject(tooManyOfOne());
    this.#parts.permissions?.start(() => this.permissionsChanged());
    const review = this.#decision(identity, subject, question).finally(() => reviews.delete(question.key));
    reviews.set(question.key, review);
    return review;
  }

  #subjectOf(identity: ServiceAccountIdentity): Subject {
    const known = this.#subjects.get(identity);
    if (known !== undefined) return known;
    const subject: Subject = { decisions: new Map(), reviews: new Map() };
    this.#subjects.set(identity, subject);
    return subject;
  }

  async #decision(identity: ServiceAccountIdentity, subject: Subject, question: AccessQuestion): Promise<boolean> {
    const { clock, log } = this.#parts;
    const startedAt = clock.monotonic();
    try {
      for (let reviews = 0; reviews < maxReviewsPerDecision; reviews++) {
        const { allowed, usableUntil, isCurrent } = await this.#review(identity, question, startedAt);
        if (!isCurrent) continue;
        this.#keep(subject, { key: question.key, allowed, usableUntil });
        return allowed;
      }
      throw new Unavailability('permissions_changing', 'Rights changed again and again while they were asked about');
    } catch (error) {
      const unavailability =
        error instanceof Unavailability
          ? error
          : new Unavailability('reviewer_failed', 'The SubjectAccessReview failed in a way of its own');
      log({ level: 'error', code: unavailability.code, message: unavailability.message });
      throw unavailability;
    }
  }

  async #review(
    identity: ServiceAccountIdentity,
    { attributes }: AccessQuestion,
    startedAt: number,
  ): Promise<{ readonly allowed: boolean; readonly usableUntil: number; readonly isCurrent: boolean }> {
    const { reviewer, clock, limits, onReviewed } = this.#parts;
    const began = clock.monotonic();
    const changes = this.#changes;
    let review: AccessReview | undefined;
    try {
      review = await reviewer.reviewAccess(identity, attributes, began - startedAt);
    } finally {
      onReviewed({
        outcome: review === undefined ? 'unavailable' : review.allowed ? 'allowed' : 'denied',
        durationMs: clock.monotonic() - began,
        identity,
        permission: described(attributes),
        reason: review?.reason ?? '',
      });
    }
    const { allowed } = review;
    const maxAgeMs = Math.min(
      allowed ? limits.maxAgeMs : limits.denialMaxAgeMs,
      longestAfterChange(allowed, began - this.#changedAt),
    );
    return { allowed, usableUntil: began + maxAgeMs, isCurrent: changes === this.#changes };
  }

  #keep({ decisions }: Subject, decision: Decision): void {
    if (this.#parts.clock.monotonic() >= decision.usableUntil) return;
    const earlier = decisions.get(decision.key) ?? this.#oldestOfTooMany(decisions);
    if (earlier !== undefined) this.#byUse.delete(earlier);
    decisions.set(decision.key, decision);
    this.#byUse.set(decision, decisions);
  }

  #oldestOfTooMany(decisions: Subject['decisions']): Decision | undefined {
    return decisions.size < this.#maxDecisionsOfOne ? undefined : decisions.values().next().value;
  }
}

/** For how long a decision may be used whose review began so long after a change. A wrong denial may wait a little longer. */
function longestAfterChange(allowed: boolean, sinceChangeMs: number): number {
  if (sinceChangeMs < tellingMs) return allowed ? tellingMs : unsettledMaxAgeMs;
  return allowed && sinceChangeMs < unsettledMs ? unsettledMaxAgeMs : Number.POSITIVE_INFINITY;
}

const tooManyOfOne = (): Unavailability =>
  new Unavailability('review_queue_full', `One caller has ${maxReviewsOfOne} SubjectAccessReviews in flight already`);
