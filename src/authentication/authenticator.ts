import { abandonable } from './abandonable.ts';
import { maxTokenLength, tokenFault } from './bearer-token.ts';
import type { UnverifiedClaims } from './claims.ts';
import type { Clock } from './clock.ts';
import { ServiceAccountAuthError, type UnavailabilityCode } from './errors.ts';
import { type AuthenticatorEvent, type AuthenticatorEvents, EventChannel, type Listener } from './events.ts';
import { IdentityKeeper } from './identity-keeper.ts';
import { verdictOf } from './identity-from-review.ts';
import type { Log } from './log.ts';
import type { EndListener } from './open-streams.ts';
import { peerOf } from './peer.ts';
import { precheck } from './precheck.ts';
import { authenticatorClosed, type Circuit, type Reviewer, type Turn, Unavailability } from './reviewer.ts';
import type { RevocationParts } from './revocation.ts';
import type { WatchedKind, WatchState } from './revocation-source.ts';
import type { ServiceAccountIdentity } from './service-account-identity.ts';
import { shareOf } from './share.ts';
import type { SignatureJudge } from './signature-judge.ts';
import { type Lifetimes, rejectionAge } from './term.ts';
import { tokenKeys } from './token-key.ts';
import { UnverifiedReviews } from './unverified-reviews.ts';
import type { CachedIdentity, VerdictCache } from './verdict-cache.ts';
import type { Verdict } from './verdict.ts';

export interface AuthenticateOptions {
  /** Ends this caller's wait, and only that: the review goes on for whoever else waits, and for the cache. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The network address that the token came from, without a port. Where no key can tell good tokens from bad, each address
   * has a share of its own, so that none takes everyone's. Default: all tokens without one share one.
   */
  readonly peer?: string | undefined;
}

export interface LastReview {
  /** When it ended, in epoch milliseconds. */
  readonly at: number;
  readonly outcome: 'authenticated' | 'rejected' | 'unavailable';
  /** Why there was no verdict, where there was none. */
  readonly code: UnavailabilityCode | undefined;
}

/** What an authenticator is doing. Times are in epoch milliseconds. */
export interface AuthenticatorStatus {
  readonly state: 'open' | 'closed';
  /** The last review that ended, `undefined` before the first. */
  readonly lastReview: LastReview | undefined;
  /** TokenReviews under way or waiting; no SubjectAccessReviews. */
  readonly reviewsInFlight: number;
  /** `open`: the API server kept failing and is not asked for a moment; `half_open`: it is tried again. */
  readonly circuit: Circuit;
  /** When the cluster's public keys, which keep forged tokens from it, were fetched; `undefined` while there are none. */
  readonly keysFetchedAt: number | undefined;
  /**
   * When our own credential in a Pod was last read from its file, which happens with a review, at most every 10 s;
   * `undefined` before that, with a kubeconfig, and with a `reviewer` of one's own.
   */
  readonly credentialReadAt: number | undefined;
  readonly cachedIdentities: number;
  readonly cachedRejections: number;
  /** Whether deletions are told as they happen; `undefined` where nothing is watched. */
  readonly watches: Readonly<Record<WatchedKind, WatchState>> | undefined;
  /**
   * Whether changes of Roles and their bindings are told as they happen; `undefined` where nothing is watched, and until a
   * permission is asked about.
   */
  readonly permissionsWatch: WatchState | undefined;
  /** Callers whom somebody listens for with `onRevoked`. */
  readonly openStreams: number;
}

/** Token in, identity out. Knows no HTTP: serves Express, WebSocket upgrades, gRPC, Fastify alike. */
export interface TokenAuthenticator extends AsyncDisposable {
  /** The identity of a token that needs no review, at once and synchronously; else `undefined`. */
  cached(token: string): ServiceAccountIdentity | undefined;
  /**
   * The identity of a token, reviewed if need be. However many callers wait for one token, one TokenReview is sent.
   *
   * @throws {ServiceAccountAuthError} for a rejection (401) or unavailability (503); with `signal`, its reason
   */
  authenticate(token: string, options?: AuthenticateOptions): Promise<ServiceAccountIdentity>;
  /**
   * Resolves once configuration, connection, credential and rights have been proven by one TokenReview, of a token that
   * cannot be valid. Call it at start to fail early; without it the first request finds out.
   *
   * @throws {Error} with a `code` and a message for the operator
   */
  ready(): Promise<void>;
  /** Refuses new tokens (503), lets reviews in flight end, then closes connections. */
  close(): Promise<void>;
  status(): AuthenticatorStatus;
  /**
   * For the owner of a WebSocket, a stream of events or a long job: calls the listener once, when its caller is no longer to
   * be served. Where nothing is watched, that is `cache.maxAgeMs` after the review.
   *
   * @returns the function that stops listening: call it when the stream ends by itself
   */
  onRevoked(identity: ServiceAccountIdentity, listener: EndListener): () => void;
  /** Listens to an event; returns the function that stops listening. */
  on<Event extends AuthenticatorEvent>(event: Event, listener: Listener<Event>): () => void;
}

export interface AuthenticatorParts {
  readonly reviewer: Reviewer;
  /** Keeps forged tokens from the reviewer, where keys are to be had. */
  readonly signatures: SignatureJudge | undefined;
  /** When our own credential was last read, where it is read from a file. */
  readonly credentialReadAt?: () => number | undefined;
  /** What tells of deletions. Default: nothing does. */
  readonly revocation?: RevocationParts | undefined;
  /** A token must name one of them; none: the review decides alone, by the API server's own audiences. */
  readonly audiences: readonly string[];
  readonly maxEntries: number;
  readonly lifetimes: Lifetimes;
  readonly clock: Clock;
  readonly log: Log;
  /** In [0, 1): for jitter only. */
  readonly random: () => number;
}

/** What a review came to, for everyone who waits for it. */
type Outcome = Verdict | { readonly unavailable: Unavailability };

/** After a background review began, no other of that token begins for this long. */
const refreshPauseMs = 1_000;

export class CoreAuthenticator implements TokenAuthenticator {
  readonly #parts: AuthenticatorParts;
  readonly #keyOf = tokenKeys();
  readonly #keeper: IdentityKeeper;
  readonly #cache: VerdictCache;
  readonly #events: EventChannel;
  readonly #inFlight = new Map<string, Promise<Outcome>>();
  readonly #unverified: UnverifiedReviews;
  #lastReview: LastReview | undefined;
  /** Whether the last to say so was the API server, of our own credential or rights. */
  #areWeRefused = false;
  #hasWarnedOfAudiences = false;
  #closing: Promise<void> | undefined;

  constructor(parts: AuthenticatorParts) {
    this.#parts = parts;
    this.#keeper = new IdentityKeeper(parts, (revoked) => this.emit('revoked', revoked));
    this.#cache = this.#keeper.cache;
    this.#events = new EventChannel(parts.log);
    this.#unverified = new UnverifiedReviews(parts.clock);
  }

  cached(token: string): ServiceAccountIdentity | undefined {
    if (this.#closing || token.length > maxTokenLength) return undefined;
    return this.#known(this.#keyOf(token), token)?.identity;
  }

  async authenticate(token: string, { signal, peer }: AuthenticateOptions = {}): Promise<ServiceAccountIdentity> {
    signal?.throwIfAborted();
    const outcome = await abandonable(this.#outcomeFor(token, peer), signal);
    if ('identity' in outcome) return outcome.identity;
    if ('unavailable' in outcome) {
      const { code, message, retryAfterSeconds } = outcome.unavailable;
      this.emit('unavailable', { code, reason: message });
      throw new ServiceAccountAuthError(code, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
    }
    this.emit('rejected', { code: outcome.rejected, reason: outcome.reason, credentialId: outcome.credentialId });
    throw new ServiceAccountAuthError(outcome.rejected);
  }

  async ready(): Promise<void> {
    if (this.#closing) throw authenticatorClosed();
    this.#begin();
    const { reviewer, signatures, clock } = this.#parts;
    try {
      await Promise.all([reviewer.ready(), signatures?.ready(), this.#keeper.revocation.ready()]);
      this.#remember({ at: clock.now(), outcome: 'rejected', code: undefined });
    } catch (error) {
      const code = error instanceof Unavailability ? error.code : 'reviewer_failed';
      this.#remember({ at: clock.now(), outcome: 'unavailable', code });
      throw error;
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  status(): AuthenticatorStatus {
    const { identities, rejections } = this.#cache.sizes;
    return {
      state: this.isClosed ? 'closed' : 'open',
      lastReview: this.#lastReview,
      reviewsInFlight: this.#inFlight.size,
      circuit: this.#parts.reviewer.circuit,
      keysFetchedAt: this.#parts.signatures?.keysFetchedAt,
      credentialReadAt: this.#parts.credentialReadAt?.(),
      cachedIdentities: identities,
      cachedRejections: rejections,
      watches: this.#keeper.revocation.states,
      permissionsWatch: undefined,
      openStreams: this.#keeper.openStreams,
    };
  }

  protected get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  onRevoked(identity: ServiceAccountIdentity, listener: EndListener): () => void {
    return this.#keeper.onRevoked(identity, listener);
  }

  on<Event extends AuthenticatorEvent>(event: Event, listener: Listener<Event>): () => void {
    return this.#events.on(event, listener);
  }

  /** For the middleware and the guards, whose refusals belong to the same stream of events. */
  emit<Event extends AuthenticatorEvent>(event: Event, payload: AuthenticatorEvents[Event]): void {
    this.#events.emit(event, payload);
  }

  #outcomeFor(token: string, peer: string | undefined): Outcome | Promise<Outcome> {
    if (this.#closing) return { unavailable: authenticatorClosed() };
    const fault = tokenFault(token);
    if (fault !== undefined) return { rejected: fault, reason: 'not a bearer token' };
    const key = this.#keyOf(token);
    const known = this.#known(key, token) ?? this.#cache.rejection(key) ?? this.#inFlight.get(key);
    if (known !== undefined) return known;
    const checked = precheck(token, this.#parts.audiences, this.#parts.clock);
    if ('rejected' in checked) return checked;
    const { serviceAccount, jti } = checked.claims;
    const refusal = serviceAccount && this.#keeper.revocation.refusal(serviceAccount, jti);
    return refusal ?? this.#startReview(key, token, checked.claims, false, peer);
  }

  /** A hit in the last part of its term starts the next review, unless a watch proves life. */
  #known(key: string, token: string): CachedIdentity | undefined {
    const now = this.#parts.clock.monotonic();
    const entry = this.#cache.identity(key, now);
    const isLate = entry && now >= entry.refreshFrom;
    if (isLate && !this.#keeper.prolong(entry)) this.#refresh(key, token, entry);
    return entry;
  }

  /** Reviews a token ahead of need. The identity in the cache stays until then, and to its end if nobody can say. */
  #refresh(key: string, token: string, entry: CachedIdentity): void {
    if (this.#inFlight.has(key) || !this.#parts.reviewer.hasSpareCapacity()) return;
    entry.refreshFrom = Math.ceil(this.#parts.clock.monotonic()) + refreshPauseMs;
    const checked = precheck(token, this.#parts.audiences, this.#parts.clock);
    if ('claims' in checked) void this.#startReview(key, token, checked.claims, true);
  }

  #startReview(
    key: string,
    token: string,
    claims: UnverifiedClaims,
    background: boolean,
    peer?: string,
  ): Promise<Outcome> {
    this.#begin();
    const review = this.#verify(key, token, claims, background, peerOf(peer));
    this.#inFlight.set(key, review);
    return review;
  }

  /** Never rejects: whatever happens becomes an outcome, the same for everyone who waits for it. */
  async #verify(
    key: string,
    token: string,
    claims: UnverifiedClaims,
    background: boolean,
    peer: string,
  ): Promise<Outcome> {
    const outcome = await this.#outcomeOfReview(key, token, claims, background, peer);
    this.#inFlight.delete(key);
    if ('identity' in outcome) return outcome;
    const { clock, lifetimes, log } = this.#parts;
    if ('rejected' in outcome) {
      const issuedAt = claims.iat === undefined ? undefined : claims.iat * 1000;
      this.#cache.keepRejection(key, outcome, rejectionAge(issuedAt, clock.now(), lifetimes));
      return outcome;
    }
    const { code, message } = outcome.unavailable;
    log({ level: 'error', code, message });
    const bridging = this.#areWeRefused ? undefined : this.#cache.bridgingIdentity(key);
    return bridging === undefined ? outcome : { identity: bridging };
  }

  async #outcomeOfReview(
    key: string,
    token: string,
    claims: UnverifiedClaims,
    background: boolean,
    peer: string,
  ): Promise<Outcome> {
    try {
      const { signatures, clock } = this.#parts;
      const began = clock.monotonic();
      const wasVouchedFor = this.#cache.wasVouchedFor(key);
      const shareOfCheck = shareOf(wasVouchedFor ? claims.serviceAccount : undefined, peer);
      const judgement = signatures === undefined ? 'possible' : await signatures.judge(token, shareOfCheck);
      if (judgement === 'refuted') {
        return { rejected: 'token_forged', reason: 'the key that it names did not sign it', credentialId: claims.jti };
      }
      const isVerified = wasVouchedFor || judgement === 'confirmed';
      const share = shareOf(isVerified ? claims.serviceAccount : undefined, peer);
      const review = (): Promise<Verdict> =>
        this.#review(key, token, claims, background, { share, waitedMs: clock.monotonic() - began });
      return await (isVerified ? review() : this.#unverified.within(judgement, peer, review));
    } catch (error) {
      if (error instanceof Unavailability) return { unavailable: error };
      // The message of a stranger's error may quote the token.
      return { unavailable: new Unavailability('reviewer_failed', 'The reviewer failed in a way of its own') };
    }
  }

  /** @throws {Unavailability} */
  async #review(
    key: string,
    token: string,
    claims: UnverifiedClaims,
    background: boolean,
    turn: Turn,
  ): Promise<Verdict> {
    const { reviewer, audiences, clock } = this.#parts;
    const reviewedAt = clock.monotonic();
    const reviewedAtEpoch = clock.now();
    let outcome: LastReview['outcome'] = 'unavailable';
    let code: UnavailabilityCode | undefined = 'reviewer_failed';
    try {
      const verdict = verdictOf(await reviewer.review(token, turn), claims, audiences, reviewedAtEpoch);
      const admitted = await this.#keeper.admit(key, verdict, reviewedAt, turn.waitedMs);
      outcome = 'identity' in admitted ? 'authenticated' : 'rejected';
      code = undefined;
      return admitted;
    } catch (error) {
      if (error instanceof Unavailability) code = error.code;
      throw error;
    } finally {
      this.#remember({ at: clock.now(), outcome, code });
      this.emit('reviewed', { outcome, durationMs: clock.monotonic() - reviewedAt, background });
    }
  }

  #remember(review: LastReview): void {
    this.#lastReview = review;
    if (review.code === undefined) this.#areWeRefused = false;
    else if (isAboutUs(review.code)) this.#areWeRefused = true;
  }

  async #close(): Promise<void> {
    this.#keeper.close();
    await Promise.all(this.#inFlight.values());
    this.#cache.clear();
    await this.#parts.reviewer.close();
  }

  /** Work starts with the first token, or when readiness is asked for. */
  #begin(): void {
    this.#keeper.revocation.start();
    this.#warnWithoutAudiences();
  }

  #warnWithoutAudiences(): void {
    if (this.#hasWarnedOfAudiences || this.#parts.audiences.length > 0) return;
    this.#hasWarnedOfAudiences = true;
    this.#parts.log({
      level: 'warn',
      code: 'no_audiences',
      message:
        "No audiences are configured, so callers send tokens for the API server's own audience, and whoever receives " +
        'one can replay it against the API server. Set `audiences` to a name of this service, and the same in the ' +
        "callers' projected token volumes.",
    });
  }
}

/** Trouble with our own credential or rights is no outage: someone may have withdrawn them on purpose. An outage that
 * follows it does not undo that; only a verdict does. */
const isAboutUs = (code: UnavailabilityCode): boolean =>
  code === 'reviewer_unauthenticated' || code === 'reviewer_forbidden';
