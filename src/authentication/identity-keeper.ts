import type { Clock } from './clock.ts';
import type { AuthenticatorEvents } from './events.ts';
import type { Log } from './log.ts';
import { type EndListener, OpenStreams } from './open-streams.ts';
import { Revocation, type RevocationParts } from './revocation.ts';
import type { WatchedKind } from './revocation-source.ts';
import type { ServiceAccountIdentity } from './service-account-identity.ts';
import { identityTerm, type Lifetimes, prolongedTerm } from './term.ts';
import { type CachedIdentity, VerdictCache } from './verdict-cache.ts';
import type { Verdict } from './verdict.ts';

export interface IdentityKeeperParts {
  readonly revocation?: RevocationParts | undefined;
  readonly maxEntries: number;
  readonly lifetimes: Lifetimes;
  readonly clock: Clock;
  readonly log: Log;
  /** In [0, 1): for jitter only. */
  readonly random: () => number;
}

/** Identities in use, for new requests and for those that go on, each for as long as it may be used. */
export class IdentityKeeper {
  readonly revocation: Revocation;
  readonly cache: VerdictCache;
  readonly #parts: IdentityKeeperParts;
  readonly #streams: OpenStreams;
  readonly #onRevoked: (revoked: AuthenticatorEvents['revoked']) => void;

  constructor(parts: IdentityKeeperParts, onRevoked: (revoked: AuthenticatorEvents['revoked']) => void) {
    const { revocation = {}, lifetimes, clock, log, maxEntries } = parts;
    this.#parts = parts;
    this.#onRevoked = onRevoked;
    this.revocation = new Revocation(revocation, lifetimes, clock, {
      revoked: (kind, uid) => this.#drop(kind, uid),
      ending: (uid, from) => {
        this.cache.endBoundTo(uid, from);
        this.#streams.endFrom(uid, from);
      },
    });
    this.cache = new VerdictCache(maxEntries, clock, {
      uidsOf: (identity) => this.revocation.uidsOf(identity),
      prolong: (entry) => this.prolong(entry),
    });
    this.#streams = new OpenStreams(this.revocation, lifetimes, clock, log);
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  /**
   * Keeps what a review vouched for, unless it is known to be gone: an API server goes on vouching for what is deleted, and
   * it may have been deleted while the review ran.
   *
   * @param reviewedAt when the review started, on the monotonic clock
   * @param waitedMs for how long the token had waited before that
   * @throws {Unavailability}
   */
  async admit(key: string, verdict: Verdict, reviewedAt: number, waitedMs: number): Promise<Verdict> {
    if ('rejected' in verdict) return verdict;
    const { identity } = verdict;
    const { lifetimes, clock, random } = this.#parts;
    const nodeRefusal = await this.revocation.nodeRefusal(identity, waitedMs + clock.monotonic() - reviewedAt);
    // Nothing may come between this and the cache, where a deletion finds it.
    const refusal = nodeRefusal ?? this.revocation.refusal(identity, identity.credentialId);
    if (refusal) return refusal;
    const provenAt = this.revocation.provenAt(identity, reviewedAt);
    const term = identityTerm(reviewedAt, provenAt, this.revocation.expiryOf(identity), lifetimes, random);
    this.cache.keepIdentity(key, identity, term);
    this.revocation.look(identity);
    return verdict;
  }

  /** Gives it a longer term where there is a later proof of life; returns whether it may wait for the next one. */
  prolong(entry: CachedIdentity): boolean {
    const { identity } = entry;
    const provenAt = this.revocation.provenAt(identity, entry.reviewedAt);
    const prolonged = prolongedTerm(entry, provenAt, this.#parts.lifetimes);
    if (prolonged.usableUntil <= entry.usableUntil) return false;
    Object.assign(entry, prolonged);
    return this.#parts.clock.monotonic() < prolonged.refreshFrom;
  }

  onRevoked(identity: ServiceAccountIdentity, listener: EndListener): () => void {
    return this.#streams.add(identity, listener);
  }

  /** Deletions are told no more, so that streams must end. */
  close(): void {
    this.revocation.close();
    this.#streams.close();
  }

  #drop(kind: WatchedKind, uid: string): void {
    const identities = this.cache.dropBoundTo(uid);
    const streams = this.#streams.revoke(uid);
    if (identities.length + streams > 0) this.#onRevoked({ kind, uid, identities, streams });
  }
}
