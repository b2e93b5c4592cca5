import type { Clock } from './clock.ts';

/** How long verdicts may be used, in milliseconds. */
export interface Lifetimes {
  /** After the last proof that what the token is bound to exists. */
  readonly maxAgeMs: number;
  /** After the review, however often it was proven since. */
  readonly absoluteMaxAgeMs: number;
  /** Past the term of an identity, while nobody can say. */
  readonly staleIfUnavailableMs: number;
  /** For a rejection. */
  readonly rejectionMaxAgeMs: number;
}

/** When an identity lapses. `exp` is a matter of the wall clock; ages are measured with a clock that never jumps. */
export interface IdentityTerm {
  /** On the monotonic clock. */
  readonly reviewedAt: number;
  /** On the monotonic clock. From here on a hit starts the next review in the background. */
  readonly refreshFrom: number;
  /** On the monotonic clock. */
  readonly usableUntil: number;
  /** On the monotonic clock: until then it may still be used while nobody can say. */
  readonly staleUntil: number;
  /** On the wall clock, in epoch seconds, as tokens have it; `undefined`: never. */
  readonly expiresAtSeconds: number | undefined;
  /** What it drew: a term that is prolonged stays as early as it is. */
  readonly draw: number;
}

/** A draw holds two numbers of so many bits, which together make a small integer. */
const drawBits = 15;
const drawRange = 2 ** drawBits;

/** A rejection of a token younger than this may be an API-server replica that does not know its objects yet. */
const youngTokenMs = 60_000;
const youngRejectionMaxAgeMs = 1_000;

/** Terms end up to this much early, each by a part of its own, so that what began together does not lapse together. */
const jitter = 0.1;
/** The part of a term in which a hit starts the next review. */
const refreshPart = 0.2;
/**
 * A watch proves life at least once in half of `maxAgeMs`. When it breaks, everyone has the same last proof: so the next
 * reviews spread over the other half, rather than over the last part of the term, or they would come as a burst.
 */
const proofIsLateFrom = 0.51;
const proofIsLateUntil = 0.99;

/**
 * The term of an identity: until the earliest of its `exp`, its last proof of life + `maxAgeMs`, and its review +
 * `absoluteMaxAgeMs`. A review proves life at the moment it *started*: what was deleted while it ran may have been
 * seen alive.
 *
 * @param reviewedAt when the review started, on the monotonic clock
 * @param provenAt the last proof of life, on the monotonic clock
 * @param expiresAt in epoch milliseconds; `Infinity`: never
 */
export function identityTerm(
  reviewedAt: number,
  provenAt: number,
  expiresAt: number,
  lifetimes: Lifetimes,
  random: () => number,
): IdentityTerm {
  const draw = Math.floor(random() * drawRange) * drawRange + Math.floor(random() * drawRange);
  return termOf(reviewedAt, provenAt, earlierExpiry(undefined, expiresAt), lifetimes, draw);
}

/** The term of the same review after a later proof of life. */
export function prolongedTerm(term: IdentityTerm, provenAt: number, lifetimes: Lifetimes): IdentityTerm {
  return termOf(term.reviewedAt, provenAt, term.expiresAtSeconds, lifetimes, term.draw);
}

function termOf(
  reviewedAt: number,
  provenAt: number,
  expiresAtSeconds: number | undefined,
  { maxAgeMs, absoluteMaxAgeMs, staleIfUnavailableMs }: Lifetimes,
  draw: number,
): IdentityTerm {
  const end = (draw >> drawBits) / drawRange;
  const refresh = (draw % drawRange) / drawRange;
  const shortened = 1 - jitter * end;
  const refreshed = refreshPart * (0.5 + refresh / 2);
  const isProvenSince = provenAt > reviewedAt;
  const proofLapses = provenAt + maxAgeMs * (isProvenSince ? 1 : shortened);
  const reviewLapses = reviewedAt + absoluteMaxAgeMs * shortened;
  const usableUntil = Math.floor(Math.min(proofLapses, reviewLapses));
  const lateProof = proofIsLateUntil - (proofIsLateUntil - proofIsLateFrom) * refresh;
  // Whole numbers, and rather early: the cache then holds small integers, and no number objects that a look-up meets.
  return {
    reviewedAt: Math.floor(reviewedAt),
    refreshFrom: Math.floor(
      Math.min(
        isProvenSince ? provenAt + maxAgeMs * lateProof : proofLapses - (proofLapses - reviewedAt) * refreshed,
        reviewLapses - (reviewLapses - reviewedAt) * refreshed,
      ),
    ),
    usableUntil,
    staleUntil: usableUntil + staleIfUnavailableMs,
    expiresAtSeconds,
    draw,
  };
}

/**
 * The earlier of both, rather early, as nothing may be used too long.
 *
 * @param expiresAt in epoch milliseconds; `Infinity`: never
 */
export function earlierExpiry(expiresAtSeconds: number | undefined, expiresAt: number): number | undefined {
  const earlier = Math.min(expiresAtSeconds ?? Number.POSITIVE_INFINITY, Math.floor(expiresAt / 1_000));
  return Number.isFinite(earlier) ? earlier : undefined;
}

const hasExpired = ({ expiresAtSeconds }: IdentityTerm, clock: Clock): boolean =>
  expiresAtSeconds !== undefined && clock.now() >= expiresAtSeconds * 1_000;

/** Whether an identity may bridge an outage. */
export function isBridging(term: IdentityTerm, clock: Clock): boolean {
  return clock.monotonic() < term.staleUntil && !hasExpired(term, clock);
}

export function isUsable(term: IdentityTerm, clock: Clock, now: number = clock.monotonic()): boolean {
  return now < term.usableUntil && !hasExpired(term, clock);
}

/**
 * For how long a rejection is remembered, in milliseconds.
 *
 * @param issuedAt the token's claimed `iat`, in epoch milliseconds
 */
export function rejectionAge(issuedAt: number | undefined, now: number, lifetimes: Lifetimes): number {
  const isYoung = issuedAt !== undefined && now - issuedAt < youngTokenMs;
  return isYoung ? Math.min(youngRejectionMaxAgeMs, lifetimes.rejectionMaxAgeMs) : lifetimes.rejectionMaxAgeMs;
}
