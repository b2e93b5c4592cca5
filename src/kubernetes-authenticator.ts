import { abandonable } from './authentication/abandonable.ts';
import {
  type AuthenticateOptions,
  type AuthenticatorParts,
  CoreAuthenticator,
  type TokenAuthenticator,
} from './authentication/authenticator.ts';
import { ServiceAccountAuthError } from './authentication/errors.ts';
import { Unavailability } from './authentication/reviewer.ts';
import type { ServiceAccountIdentity } from './authentication/service-account-identity.ts';
import type { AccessAttributes } from './authorization/access-attributes.ts';
import { AccessDecisions, type DecisionLimits } from './authorization/access-decisions.ts';
import { type AccessQuestion, accessQuestion } from './authorization/access-question.ts';
import type { AccessReviewer } from './authorization/access-reviewer.ts';

/** Token in, identity out; identity in, allowed or denied out. */
export interface Authenticator extends TokenAuthenticator {
  /**
   * Whether RBAC allows it: a SubjectAccessReview for the caller, remembered for the identity object. However many ask
   * the same at once, one is sent; for a list to filter ask about all of it with `Promise.all`.
   *
   * @throws {TypeError} where the attributes are wrong: unknown, missing, empty
   * @throws {ServiceAccountAuthError} for unavailability (503); with `signal`, its reason
   */
  allowed(
    identity: ServiceAccountIdentity,
    attributes: AccessAttributes,
    options?: AuthenticateOptions,
  ): Promise<boolean>;
}

export interface AccessParts {
  /** `undefined`: a reviewer of the user's own, and nobody to ask about rights. */
  readonly accessReviewer: AccessReviewer | undefined;
  readonly limits: DecisionLimits;
}

/** The authenticator that asks a cluster: both halves of the core, with one stream of events. */
export class KubernetesAuthenticator extends CoreAuthenticator implements Authenticator {
  readonly #decisions: AccessDecisions | undefined;

  constructor(parts: AuthenticatorParts, { accessReviewer, limits }: AccessParts) {
    super(parts);
    const { clock, log } = parts;
    this.#decisions =
      accessReviewer &&
      new AccessDecisions({
        reviewer: accessReviewer,
        limits,
        clock,
        log,
        onReviewed: (event) => this.emit('accessReviewed', event),
      });
  }

  async allowed(
    identity: ServiceAccountIdentity,
    attributes: AccessAttributes,
    { signal }: AuthenticateOptions = {},
  ): Promise<boolean> {
    signal?.throwIfAborted();
    if (typeof (identity as Partial<ServiceAccountIdentity> | undefined)?.username !== 'string') {
      throw new TypeError('allowed: expected an identity, and attributes of what it wants to do');
    }
    return abandonable(this.decide(identity, accessQuestion(attributes, 'allowed')), signal);
  }

  /** For the guards: synchronous where the decision is known. */
  decide(identity: ServiceAccountIdentity, question: AccessQuestion): boolean | Promise<boolean> {
    if (this.#decisions === undefined) {
      throw new TypeError('Permissions cannot be asked about with a reviewer of your own: give `kubeConfig` instead');
    }
    if (this.status().state === 'closed') return this.#unavailable(closed());
    const decision = this.#decisions.decide(identity, question);
    return typeof decision === 'boolean' ? decision : decision.catch((error: unknown) => this.#unavailable(error));
  }

  async #unavailable(error: unknown): Promise<never> {
    if (!(error instanceof Unavailability)) throw error;
    const { code, message, retryAfterSeconds } = error;
    this.emit('unavailable', { code, reason: message });
    throw new ServiceAccountAuthError(code, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
  }
}

const closed = (): Unavailability => new Unavailability('authenticator_closed', 'The authenticator is closed');
