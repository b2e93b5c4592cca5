import { LRUCache } from 'lru-cache';
import { boundObjects, type TokenSubject } from './bound-objects.ts';
import type { Clock } from './clock.ts';
import type { NodeDirectory } from './node-directory.ts';
import type { Coverage, RevocationListener, RevocationSource, WatchedKind, WatchState } from './revocation-source.ts';
import { RevokedUids } from './revoked-uids.ts';
import type { ServiceAccountIdentity } from './service-account-identity.ts';
import type { Lifetimes } from './term.ts';
import type { Rejected } from './verdict.ts';

/** As the API server does it: a token counts until its object's `deletionTimestamp` and a minute more. */
const terminationLeewayMs = 60_000;

/** For how long a revoked uid is remembered at least. */
const minRetentionMs = 600_000;

/** So many uids of objects that were looked at are remembered: some 10 MB. */
const maxSeen = 65_536;
/** Of those beyond so many, each is looked at after its next review. */
const maxLooks = 1_024;

export interface RevocationParts {
  /** What tells of deletions; none: the short term is all there is. */
  readonly source?: RevocationSource | undefined;
  /** Where given, the Node that a Pod-bound token names must exist. */
  readonly nodes?: NodeDirectory | undefined;
  /** Refuses what terminates at once, rather than a minute after its `deletionTimestamp`. */
  readonly refuseTerminating?: boolean;
}

/** Those who hold identities. */
export interface RevocationHandler {
  /** From now on that uid is refused. */
  revoked(kind: WatchedKind, uid: string): void;
  /** From then on, in epoch milliseconds. */
  ending(uid: string, from: number): void;
}

/** Whether what a token is bound to still exists, by what the watch tells. */
export class Revocation implements RevocationListener {
  readonly #source: RevocationSource | undefined;
  readonly #nodes: NodeDirectory | undefined;
  readonly #refuseTerminating: boolean;
  /** For how long a review may be behind the times. */
  readonly #maxLagMs: number;
  readonly #clock: Clock;
  readonly #revoked: RevokedUids;
  readonly #handler: RevocationHandler;
  /** When, on the monotonic clock, a uid was seen without a `deletionTimestamp`. */
  readonly #seen: LRUCache<string, number> | undefined;
  readonly #looks = new Set<string>();
  #hasStarted = false;

  constructor(parts: RevocationParts, lifetimes: Lifetimes, clock: Clock, handler: RevocationHandler) {
    const { maxAgeMs, absoluteMaxAgeMs } = lifetimes;
    this.#source = parts.source;
    this.#nodes = parts.nodes;
    this.#refuseTerminating = parts.refuseTerminating ?? false;
    this.#maxLagMs = maxAgeMs;
    this.#clock = clock;
    this.#revoked = new RevokedUids(Math.max(minRetentionMs, absoluteMaxAgeMs) + maxAgeMs, clock);
    this.#handler = handler;
    this.#seen = parts.source && new LRUCache({ max: maxSeen });
  }

  start(): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    this.#source?.start(this);
  }

  async ready(): Promise<void> {
    await this.#source?.ready();
  }

  close(): void {
    this.#source?.close();
  }

  get states(): Readonly<Record<WatchedKind, WatchState>> | undefined {
    return this.#source?.states;
  }

  deleted(kind: WatchedKind, uid: string): void {
    this.#revoked.add(uid, 0);
    this.#seen?.delete(uid);
    this.#handler.revoked(kind, uid);
  }

  terminating(kind: WatchedKind, uid: string, deletionTimestamp: number): void {
    const from = deletionTimestamp + terminationLeewayMs;
    if (this.#refuseTerminating || from <= this.#clock.now()) return this.deleted(kind, uid);
    this.#revoked.add(uid, from);
    this.#handler.ending(uid, from);
  }

  /** The uids whose deletion ends an identity; none where nobody tells of it. */
  uidsOf(subject: TokenSubject): readonly string[] {
    return this.#source === undefined ? [] : this.#objectsOf(subject).flatMap(({ uid }) => uid ?? []);
  }

  /**
   * Why a token is refused, whatever a review says of it: an API server vouches for what is deleted, for 10 s and longer.
   * Claims that nobody has verified may be asked about too, as this only ever rejects.
   */
  refusal(subject: TokenSubject, credentialId: string | undefined): Rejected | undefined {
    const now = this.#clock.now();
    const gone = this.#objectsOf(subject).find(({ uid }) => uid !== undefined && this.#refusedFrom(uid) <= now);
    return gone && { rejected: 'token_revoked', reason: `its ${gone.kind} is gone`, credentialId };
  }

  /** Looks up the Node that a Pod-bound token names, where that is asked for. @throws {Unavailability} */
  async nodeRefusal(identity: ServiceAccountIdentity, waitedMs: number): Promise<Rejected | undefined> {
    const { pod, node, credentialId } = identity;
    if (this.#nodes === undefined || pod === undefined) return undefined;
    const refused = (reason: string): Rejected => ({ rejected: 'node_not_verified', reason, credentialId });
    if (node?.uid === undefined) return refused('it names no Node with a uid');
    const uid = await this.#nodes.uidOf(node.name, waitedMs);
    if (uid === undefined) return refused('its Node does not exist');
    return uid === node.uid ? undefined : refused('another Node has taken the name of its Node');
  }

  /** When that identity's token will be refused, in epoch milliseconds. */
  expiryOf(identity: ServiceAccountIdentity): number {
    const ends = this.uidsOf(identity).map((uid) => this.#refusedFrom(uid));
    return Math.min(identity.expiresAt ?? Number.POSITIVE_INFINITY, ...ends);
  }

  /**
   * The last proof that what an identity is bound to exists, on the monotonic clock: its review; or the watch's, only where
   * that has covered everything since `maxAgeMs` *before* the review, which may have been behind the times, and where what
   * it is bound to was seen since then: no event tells that it was terminating already.
   */
  provenAt(identity: ServiceAccountIdentity, reviewedAt: number): number {
    const earliest = reviewedAt - this.#maxLagMs;
    if (identity.boundTo?.kind === 'Secret') return reviewedAt;
    let provenAt = Number.POSITIVE_INFINITY;
    for (const { kind, uid } of this.#objectsOf(identity)) {
      const coverage = this.#source?.coverage(kind, identity.namespace);
      if (uid === undefined || coverage === undefined || coverage.since > earliest) return reviewedAt;
      if (!this.#wasSeen(uid, coverage)) return reviewedAt;
      provenAt = Math.min(provenAt, coverage.provenAt);
    }
    return Math.max(reviewedAt, provenAt);
  }

  /** Looks, off the request's path, at what an identity is bound to and was not seen yet as far as it is covered. */
  look(identity: ServiceAccountIdentity): void {
    if (identity.boundTo?.kind === 'Secret') return;
    for (const { kind, uid } of this.#objectsOf(identity)) {
      const coverage = this.#source?.coverage(kind, identity.namespace);
      if (uid === undefined || coverage === undefined || this.#wasSeen(uid, coverage)) continue;
      void this.#look(identity, kind, uid);
    }
  }

  /** As far as it is covered, and no event that was told since then has been forgotten. */
  #wasSeen(uid: string, { since }: Coverage): boolean {
    const seenAt = this.#seen?.get(uid);
    return seenAt !== undefined && seenAt >= since && seenAt > this.#revoked.completeSince;
  }

  async #look(identity: ServiceAccountIdentity, kind: WatchedKind, uid: string): Promise<void> {
    const { namespace, name, pod, node } = identity;
    const called = { ServiceAccount: name, Pod: pod?.name, Node: node?.name }[kind];
    if (called === undefined || this.#looks.has(uid) || this.#looks.size >= maxLooks) return;
    this.#looks.add(uid);
    const askedAt = this.#clock.monotonic();
    const object = await this.#source?.lookAt(kind, namespace, called);
    this.#looks.delete(uid);
    // One that is gone is the watch's to tell: that there is none yet may be what a replica believes that lags.
    if (object?.uid !== uid) return;
    if (object.deletionTimestamp === undefined) this.#seen?.set(uid, askedAt);
    else this.terminating(kind, uid, object.deletionTimestamp);
  }

  #objectsOf(subject: TokenSubject): ReturnType<typeof boundObjects> {
    return boundObjects(subject, this.#nodes !== undefined);
  }

  #refusedFrom(uid: string): number {
    return this.#revoked.refusedFrom(uid) ?? Number.POSITIVE_INFINITY;
  }
}
