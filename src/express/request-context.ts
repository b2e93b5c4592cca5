import type { IncomingMessage } from 'node:http';
import type { AuthenticatorEvent, AuthenticatorEvents } from '../authentication/events.ts';
import type { ServiceAccountIdentity } from '../authentication/service-account-identity.ts';
import type { CallingPod } from '../authorization/calling-pod.ts';
import type { AccessQuestion } from '../authorization/access-question.ts';

/**
 * - `enforce`: no request passes without an identity.
 * - `optional`: a request without credentials, or with another scheme's, passes without an identity; a bad bearer token
 *   is refused all the same.
 * - `report`: every request passes; what would have been refused, by the middleware or a guard, is an event. Behind guards
 *   `req.serviceAccount` may then be `undefined`, whatever its type says.
 */
export type Mode = 'enforce' | 'optional' | 'report';

/** What the middleware leaves on a request for the guards after it: one object, shared by all of its requests. */
export interface RequestContext {
  readonly mode: Mode;
  readonly realm: string;
  readonly emit: <Event extends AuthenticatorEvent>(event: Event, payload: AuthenticatorEvents[Event]) => void;
  /** Whether RBAC allows it; throws or rejects where nobody can say. */
  readonly decide?: (identity: ServiceAccountIdentity, question: AccessQuestion) => boolean | Promise<boolean>;
  /** The caller's Pod, looked at anew where what is known does not fit; throws or rejects where nobody can say. */
  readonly podOf?: (
    identity: ServiceAccountIdentity,
    anew: boolean,
  ) => CallingPod | undefined | Promise<CallingPod | undefined>;
}

// Registered, so that guards and middleware of two copies of this package understand each other.
export const requestContext: unique symbol = Symbol.for('k8s-service-account-auth.request-context') as never;

/** A request as the middleware and the guards see it. */
export interface AuthenticatedRequest extends IncomingMessage {
  serviceAccount?: ServiceAccountIdentity | undefined;
  [requestContext]?: RequestContext;
}

export type Next = (error?: unknown) => void;
