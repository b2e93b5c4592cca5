import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { Revocation } from './revocation.ts';
import type { ServiceAccountIdentity } from './service-account-identity.ts';
import type { Lifetimes } from './term.ts';
import { UidIndex } from './uid-index.ts';

/**
 * Why a caller whose request goes on is no longer to be served:
 * - `revoked`: its Pod, ServiceAccount or Node is gone.
 * - `expired`: its token's `exp` has passed.
 * - `unprovable`: for `cache.maxAgeMs` nothing has proven that it still exists. Only a watch proves that without its token.
 * - `closed`: the authenticator was closed, so that nobody would notice any more.
 */
export type EndOfIdentity = 'revoked' | 'expired' | 'unprovable' | 'closed';

export type EndListener = (reason: EndOfIdentity) => void;

interface OpenStream {
  readonly identity: ServiceAccountIdentity;
  readonly listener: EndListener;
  /** On the monotonic clock. */
  readonly reviewedAt: number;
  /** On the monotonic clock. */
  provenAt: number;
  /** When its token is refused, in epoch milliseconds. */
  endsAt: number;
}

const checkEveryMs = 1_000;

/**
 * Requests that go on after they were let in: a WebSocket, a stream of events, a long job. Apart from the cache, as they
 * outlive what is remembered for new requests. A watch tells of revocation at once; all else is looked at every second.
 */
export class OpenStreams {
  readonly #revocation: Revocation;
  readonly #lifetimes: Lifetimes;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #streams = new Set<OpenStream>();
  readonly #byUid = new UidIndex<OpenStream>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(revocation: Revocation, lifetimes: Lifetimes, clock: Clock, log: Log) {
    this.#revocation = revocation;
    this.#lifetimes = lifetimes;
    this.#clock = clock;
    this.#log = log;
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Calls the listener once, never before this returns; the returned function prevents that. */
  add(identity: ServiceAccountIdentity, listener: EndListener): () => void {
    // Nobody keeps identities so long but their owner: what happened to them meanwhile may be forgotten.
    const { absoluteMaxAgeMs, maxAgeMs } = this.#lifetimes;
    const age = Math.max(0, this.#clock.now() - identity.reviewedAt);
    const reviewedAt = age > absoluteMaxAgeMs + maxAgeMs ? Number.NEGATIVE_INFINITY : this.#clock.monotonic() - age;
    const endsAt = this.#revocation.expiryOf(identity);
    const stream: OpenStream = { identity, listener, reviewedAt, provenAt: reviewedAt, endsAt };
    this.#streams.add(stream);
    for (const uid of this.#revocation.uidsOf(identity)) this.#byUid.add(uid, stream);
    this.#timer ??= setInterval(() => this.check(), checkEveryMs).unref();
    setImmediate(() => this.#check(stream)).unref();
    return () => this.#remove(stream);
  }

  /** @returns how many it ended */
  revoke(uid: string): number {
    const streams = this.#byUid.get(uid);
    for (const stream of streams) this.#end(stream, 'revoked');
    return streams.length;
  }

  /** @param from in epoch milliseconds */
  endFrom(uid: string, from: number): void {
    for (const stream of this.#byUid.get(uid)) stream.endsAt = Math.min(stream.endsAt, from);
  }

  /** Ends whoever has lapsed. */
  check(): void {
    // Whoever is told may listen again.
    const streamsOfNow = Array.from(this.#streams);
    for (const stream of streamsOfNow) this.#check(stream);
  }

  close(): void {
    this.#isClosed = true;
    this.check();
  }

  #check(stream: OpenStream): void {
    if (!this.#streams.has(stream)) return;
    const reason = this.#endOf(stream);
    if (reason !== undefined) this.#end(stream, reason);
  }

  #endOf(stream: OpenStream): EndOfIdentity | undefined {
    if (this.#isClosed) return 'closed';
    const { identity, endsAt } = stream;
    if (this.#clock.now() >= endsAt) return endsAt === identity.expiresAt ? 'expired' : 'revoked';
    const { maxAgeMs } = this.#lifetimes;
    const now = this.#clock.monotonic();
    if (now < stream.provenAt + maxAgeMs / 2) return undefined;
    this.#revocation.look(identity);
    stream.provenAt = Math.max(stream.provenAt, this.#revocation.provenAt(identity, stream.reviewedAt));
    return now >= stream.provenAt + maxAgeMs ? 'unprovable' : undefined;
  }

  #end(stream: OpenStream, reason: EndOfIdentity): void {
    this.#remove(stream);
    try {
      stream.listener(reason);
    } catch {
      this.#log({ level: 'error', code: 'listener_failed', message: 'A listener of onRevoked() threw' });
    }
  }

  #remove(stream: OpenStream): void {
    this.#streams.delete(stream);
    for (const uid of this.#revocation.uidsOf(stream.identity)) this.#byUid.remove(uid, stream);
    if (this.#streams.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
