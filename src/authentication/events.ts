import type { CredentialsErrorCode, RejectionCode, UnavailabilityCode } from './errors.ts';
import type { Log } from './log.ts';
import type { WatchedKind } from './revocation-source.ts';
import type { ServiceAccountIdentity } from './service-account-identity.ts';

/** What an authenticator tells its listeners, for metrics and audit. No payload ever holds a token. */
export interface AuthenticatorEvents {
  /** A TokenReview ended, with a verdict or without one. */
  reviewed: {
    readonly outcome: 'authenticated' | 'rejected' | 'unavailable';
    readonly durationMs: number;
    /** Whether it ran ahead of need, off any request's path. */
    readonly background: boolean;
  };
  /** A caller's credentials were missing or bad (400, 401); in report mode: would have been refused. */
  rejected: {
    readonly code: CredentialsErrorCode | RejectionCode;
    /** For the operator. What the token claims, or the API server said, of it. */
    readonly reason: string;
    /** The `jti` that the token claims, where it is known. */
    readonly credentialId: string | undefined;
  };
  /** Nobody could say whether a caller's token is good, or whether it may do something (503). */
  unavailable: { readonly code: UnavailabilityCode; readonly reason: string };
  /** What identities in use are bound to is gone; their tokens are refused from now on. */
  revoked: {
    readonly kind: WatchedKind;
    readonly uid: string;
    /** Those that were cached. */
    readonly identities: readonly ServiceAccountIdentity[];
    /** How many listeners of `onRevoked` were told. */
    readonly streams: number;
  };
  /** A SubjectAccessReview ended, with a decision or without one. */
  accessReviewed: {
    readonly outcome: 'allowed' | 'denied' | 'unavailable';
    readonly durationMs: number;
    readonly identity: ServiceAccountIdentity;
    /** What was asked about: `get orders.orders.example.com in namespace shop`. */
    readonly permission: string;
    /** The API server's words, where it has any. */
    readonly reason: string;
  };
  /** A guard refused an identity (403, or 400 where the request names what cannot exist); in report mode: would have. */
  refused: {
    readonly guard: string;
    readonly identity: ServiceAccountIdentity;
    /** What is wrong with the request, where that is why. */
    readonly reason?: string;
  };
}

export type AuthenticatorEvent = keyof AuthenticatorEvents;

export type Listener<Event extends AuthenticatorEvent> = (payload: AuthenticatorEvents[Event]) => void;

/** Listeners by event. One that throws is logged, and disturbs neither the others nor the request. */
export class EventChannel {
  readonly #listeners = new Map<AuthenticatorEvent, Set<(payload: never) => void>>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  on<Event extends AuthenticatorEvent>(event: Event, listener: Listener<Event>): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    // A wrapper of its own lets one function listen twice, and stop listening once.
    const own: Listener<Event> = (payload) => listener(payload);
    listeners.add(own);
    return () => {
      listeners.delete(own);
    };
  }

  emit<Event extends AuthenticatorEvent>(event: Event, payload: AuthenticatorEvents[Event]): void {
    // A copy, so that a listener that starts listening anew hears the next event and not this one for ever.
    const listeners = [...(this.#listeners.get(event) ?? [])];
    for (const listener of listeners) {
      try {
        (listener as Listener<Event>)(payload);
      } catch {
        this.#log({ level: 'error', code: 'listener_failed', message: `A listener of "${event}" threw` });
      }
    }
  }
}
