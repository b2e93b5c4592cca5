import { LRUCache } from 'lru-cache';
import type { Clock } from './clock.ts';
import type { ServiceAccountIdentity } from './service-account-identity.ts';
import { earlierExpiry, type IdentityTerm, isBridging, isUsable } from './term.ts';
import { UidIndex } from './uid-index.ts';
import type { Rejected } from './verdict.ts';

/** One object, as each of those that a look-up meets takes its time where they are many. */
export interface CachedIdentity extends Writable<IdentityTerm> {
  readonly identity: ServiceAccountIdentity;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

interface CachedRejection {
  readonly rejection: Rejected;
  readonly usableUntil: number;
}

/** Without it `lru-cache` makes an object of its own for each request. */
const noOptions = {};

/** What the cache asks of revocation. */
export interface IdentityKeeping {
  /** The uids whose deletion ends that identity. */
  uidsOf(identity: ServiceAccountIdentity): readonly string[];
  /** Gives it a longer term where there is a later proof of life; returns whether it may wait for the next one. */
  prolong(entry: CachedIdentity): boolean;
}

/**
 * Verdicts by token key, bounded in number. Rejections have a cache of their own, so that a flood of bad tokens evicts
 * no good one. `lru-cache` serves as a bounded map; whether a verdict may still be used is asked of its term.
 */
export class VerdictCache {
  readonly #identities: LRUCache<string, CachedIdentity>;
  readonly #rejections: LRUCache<string, CachedRejection>;
  /** Those whose identities are gone from above, however long ago. */
  readonly #vouchedFor: LRUCache<string, true>;
  readonly #clock: Clock;
  readonly #keeping: IdentityKeeping;
  readonly #keysByUid = new UidIndex<string>();

  constructor(maxEntries: number, clock: Clock, keeping: IdentityKeeping) {
    this.#identities = new LRUCache({
      max: maxEntries,
      dispose: ({ identity }, key, reason) => {
        for (const uid of keeping.uidsOf(identity)) this.#keysByUid.remove(uid, key);
        if (reason !== 'set') this.#vouchedFor.set(key, true);
      },
    });
    this.#rejections = new LRUCache({ max: maxEntries });
    this.#vouchedFor = new LRUCache({ max: maxEntries });
    this.#clock = clock;
    this.#keeping = keeping;
  }

  /** @param now on the monotonic clock, for who has just looked at it: looking is a part of what a hit costs */
  identity(key: string, now: number = this.#clock.monotonic()): CachedIdentity | undefined {
    const entry = this.#identities.get(key, noOptions);
    if (entry === undefined || isUsable(entry, this.#clock, now)) return entry;
    this.#keeping.prolong(entry);
    if (isUsable(entry, this.#clock)) return entry;
    if (!isBridging(entry, this.#clock)) this.#identities.delete(key);
    return undefined;
  }

  /** An identity whose term is over, and which may be used all the same while nobody can say. */
  bridgingIdentity(key: string): ServiceAccountIdentity | undefined {
    const entry = this.#identities.get(key);
    return entry && isBridging(entry, this.#clock) ? entry.identity : undefined;
  }

  /** Whether the last verdict was an identity, however long ago: whoever may sign has signed its token. */
  wasVouchedFor(key: string): boolean {
    return this.#identities.has(key) || this.#vouchedFor.has(key);
  }

  rejection(key: string): Rejected | undefined {
    const entry = this.#rejections.get(key);
    if (entry === undefined || this.#clock.monotonic() < entry.usableUntil) return entry?.rejection;
    this.#rejections.delete(key);
    return undefined;
  }

  keepIdentity(key: string, identity: ServiceAccountIdentity, term: IdentityTerm): void {
    if (!isBridging(term, this.#clock)) {
      this.#vouchedFor.set(key, true);
      return;
    }
    this.#rejections.delete(key);
    this.#identities.set(key, entryOf(identity, term));
    for (const uid of this.#keeping.uidsOf(identity)) this.#keysByUid.add(uid, key);
  }

  /** Drops the identities that are bound to that uid, and returns them. */
  dropBoundTo(uid: string): readonly ServiceAccountIdentity[] {
    return this.#keysByUid.get(uid).flatMap((key) => {
      const entry = this.#identities.peek(key);
      this.#identities.delete(key);
      return entry?.identity ?? [];
    });
  }

  /** Ends the identities that are bound to that uid, then. @param endsAt in epoch milliseconds */
  endBoundTo(uid: string, endsAt: number): void {
    for (const key of this.#keysByUid.get(uid)) {
      const entry = this.#identities.peek(key);
      if (entry) entry.expiresAtSeconds = earlierExpiry(entry.expiresAtSeconds, endsAt);
    }
  }

  keepRejection(key: string, rejection: Rejected, ageMs: number): void {
    // In this order: an identity that goes is remembered as vouched for.
    this.#identities.delete(key);
    this.#vouchedFor.delete(key);
    if (ageMs > 0) this.#rejections.set(key, { rejection, usableUntil: this.#clock.monotonic() + ageMs });
  }

  clear(): void {
    this.#identities.clear();
    this.#rejections.clear();
    this.#vouchedFor.clear();
  }

  get sizes(): { readonly identities: number; readonly rejections: number } {
    return { identities: this.#identities.size, rejections: this.#rejections.size };
  }
}

/**
 * Property by property, as an object that is made by spreading another keeps what it copies in a second one; and first what
 * a look-up reads, so that this lies together in memory.
 */
function entryOf(identity: ServiceAccountIdentity, term: IdentityTerm): CachedIdentity {
  const { usableUntil, expiresAtSeconds, refreshFrom, staleUntil, reviewedAt, draw } = term;
  return { identity, usableUntil, expiresAtSeconds, refreshFrom, staleUntil, reviewedAt, draw };
}
