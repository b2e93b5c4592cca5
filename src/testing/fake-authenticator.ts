import type { AuthenticatorStatus } from '../authentication/authenticator.ts';
import {
  type CredentialsErrorCode,
  type RejectionCode,
  ServiceAccountAuthError,
  type UnavailabilityCode,
} from '../authentication/errors.ts';
import {
  type AuthenticatorEvent,
  type AuthenticatorEvents,
  EventChannel,
  type Listener,
} from '../authentication/events.ts';
import type { EndListener, EndOfIdentity } from '../authentication/open-streams.ts';
import { authenticatorClosed } from '../authentication/reviewer.ts';
import type { ServiceAccountIdentity } from '../authentication/service-account-identity.ts';
import type { AccessAttributes } from '../authorization/access-attributes.ts';
import { accessQuestion } from '../authorization/access-question.ts';
import type { CallingPod } from '../authorization/calling-pod.ts';
import type { Authenticator } from '../kubernetes-authenticator.ts';

/** What an authenticator can say of a token that is not an identity. */
export type FakeFailure = CredentialsErrorCode | RejectionCode | UnavailabilityCode;

export interface FakeAuthenticator extends Authenticator {
  /**
   * Does as if what the identity is bound to were deleted: its tokens are refused (`token_revoked`), and who listens for it
   * with `onRevoked` is told. Default of `reason`: `revoked`.
   */
  revoke(identity: ServiceAccountIdentity, reason?: EndOfIdentity): void;
}

export interface FakeAuthenticatorOptions {
  /** What RBAC would say of attributes that make sense. Default: nobody may do anything. */
  readonly allowed?: (identity: ServiceAccountIdentity, attributes: AccessAttributes) => boolean;
  /** What the cluster would say of the Pod that a token is bound to. Default: it is gone. */
  readonly callingPod?: (identity: ServiceAccountIdentity) => Partial<CallingPod> | undefined;
}

/**
 * An authenticator without a cluster: it knows the tokens it is given and refuses all others (`token_refused`). It tells
 * of failures by events as a real one does, and refuses all tokens once it is closed.
 *
 * @param tokens for each token its identity, or the code of the error that it should meet
 */
export function fakeAuthenticator(
  tokens: Readonly<Record<string, ServiceAccountIdentity | FakeFailure>>,
  { allowed = () => false, callingPod = () => undefined }: FakeAuthenticatorOptions = {},
): FakeAuthenticator {
  const known = new Map(Object.entries(tokens));
  const events = new EventChannel(() => {});
  const streams = new Set<{ readonly identity: ServiceAccountIdentity; readonly listener: EndListener }>();
  let state: AuthenticatorStatus['state'] = 'open';
  const endStreams = (reason: EndOfIdentity, identity?: ServiceAccountIdentity): void => {
    for (const stream of streams) {
      if (identity !== undefined && stream.identity !== identity) continue;
      streams.delete(stream);
      stream.listener(reason);
    }
  };
  const close = async (): Promise<void> => {
    state = 'closed';
    endStreams('closed');
  };
  const failure = (code: FakeFailure): ServiceAccountAuthError => {
    const error = new ServiceAccountAuthError(code);
    const reason = 'as the test asked for';
    if (error.status === 503) events.emit('unavailable', { code: code as UnavailabilityCode, reason });
    else events.emit('rejected', { code: code as RejectionCode, reason, credentialId: undefined });
    return error;
  };
  const authenticator = {
    cached: () => undefined,
    authenticate: async (token: string, { signal }: { readonly signal?: AbortSignal | undefined } = {}) => {
      signal?.throwIfAborted();
      const outcome = state === 'closed' ? 'authenticator_closed' : (known.get(token) ?? 'token_refused');
      if (typeof outcome === 'string') throw failure(outcome);
      return outcome;
    },
    allowed: async (
      identity: ServiceAccountIdentity,
      attributes: AccessAttributes,
      { signal }: { readonly signal?: AbortSignal | undefined } = {},
    ) => {
      signal?.throwIfAborted();
      if (state === 'closed') throw failure('authenticator_closed');
      return allowed(identity, accessQuestion(attributes, 'allowed').attributes);
    },
    callingPod: async (
      identity: ServiceAccountIdentity,
      { signal }: { readonly signal?: AbortSignal | undefined } = {},
    ) => {
      signal?.throwIfAborted();
      if (state === 'closed') throw failure('authenticator_closed');
      const pod = identity.pod && callingPod(identity);
      return pod && { labels: {}, ips: [], hostNetwork: false, ...pod };
    },
    ready: async () => {
      if (state === 'closed') throw authenticatorClosed();
    },
    close,
    [Symbol.asyncDispose]: close,
    status: () => ({
      state,
      lastReview: undefined,
      reviewsInFlight: 0,
      circuit: 'closed' as const,
      keysFetchedAt: undefined,
      credentialReadAt: undefined,
      cachedIdentities: 0,
      cachedRejections: 0,
      watches: undefined,
      permissionsWatch: undefined,
      openStreams: streams.size,
    }),
    onRevoked: (identity: ServiceAccountIdentity, listener: EndListener) => {
      const stream = { identity, listener };
      streams.add(stream);
      return () => void streams.delete(stream);
    },
    revoke: (identity: ServiceAccountIdentity, reason: EndOfIdentity = 'revoked') => {
      for (const [token, outcome] of known) if (outcome === identity) known.set(token, 'token_revoked');
      endStreams(reason, identity);
    },
    on: <Event extends AuthenticatorEvent>(event: Event, listener: Listener<Event>) => events.on(event, listener),
    emit: <Event extends AuthenticatorEvent>(event: Event, payload: AuthenticatorEvents[Event]) =>
      events.emit(event, payload),
  };
  return authenticator;
}
