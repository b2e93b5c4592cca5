import { abandonable } from './authentication/abandonable.ts';
import {
  type AuthenticateOptions,
  type AuthenticatorParts,
  type AuthenticatorStatus,
  CoreAuthenticator,
  type TokenAuthenticator,
} from './authentication/authenticator.ts';
import { ServiceAccountAuthError } from './authentication/errors.ts';
import { authenticatorClosed, Unavailability } from './authentication/reviewer.ts';
import type { ServiceAccountIdentity } from './authentication/service-account-identity.ts';
import type { AccessAttributes } from './authorization/access-attributes.ts';
import { AccessDecisions, type DecisionLimits } from './authorization/access-decisions.ts';
import { type AccessQuestion, accessQuestion } from './authorization/access-question.ts';
import type { AccessReviewer } from './authorization/access-reviewer.ts';
import type { CallingPod, PodChanges, PodDirectory } from './authorization/calling-pod.ts';
import { CallingPods } from './authorization/calling-pods.ts';
import type { PermissionsSource } from './authorization/permissions-source.ts';

/** Token in, identity out; identity in, allowed or denied out. */
export interface Authenticator extends TokenAuthenticator {
  /**
   * Whether RBAC allows it: a SubjectAccessReview for the caller, remembered for the identity object. However many ask
   * the same at once, one is sent; for a list to filter ask about all of it with `Promise.all`.
   *
   * Of the options only `signal` counts.
   *
   * @throws {TypeError} where the attributes are wrong (unknown, missing, empty), or with a `reviewer` of your own
   * @throws {ServiceAccountAuthError} for unavailability (503); with `signal`, its reason
   */
  allowed(
    identity: ServiceAccountIdentity,
    attributes: AccessAttributes,
    options?: AuthenticateOptions,
  ): Promise<boolean>;
  /**
   * The Pod that the identity's token is bound to, with its labels and addresses, looked at once per TokenReview;
   * `undefined` where it is gone, or the token is bound to none. Needs the right to get Pods. Of the options only `signal`
   * counts.
   *
   * @throws {ServiceAccountAuthError} for unavailability (503); with `signal`, its reason
   */
  callingPod(identity: ServiceAccountIdentity, options?: AuthenticateOptions): Promise<CallingPod | undefined>;
}

/** Whom to ask about callers once they are known; not there where the user's own reviewer knows them. */
export interface AccessParts {
  readonly accessReviewer: AccessReviewer;
  readonly limits: DecisionLimits;
  /** Where given, what is withdrawn is told as it happens. */
  readonly permissions?: PermissionsSource | undefined;
  readonly pods: PodDirectory;
  /** Where given, what is known of a Pod is forgotten as it changes. */
  readonly podChanges?: PodChanges | undefined;
}

/** The authenticator that asks a cluster: both halves of the core, with one stream of events. */
export class KubernetesAuthenticator extends CoreAuthenticator implements Authenticator {
  readonly #decisions: AccessDecisions | undefined;
  readonly #permissions: PermissionsSource | undefined;
  readonly #pods: CallingPods | undefined;

  constructor(parts: AuthenticatorParts, access: AccessParts | undefined) {
    super(parts);
    if (access === undefined) return;
    const { clock, log, maxEntries, lifetimes } = parts;
    this.#permissions = access.permissions;
    this.#decisions = new AccessDecisions({
      reviewer: access.accessReviewer,
      permissions: access.permissions,
      limits: access.limits,
      clock,
      log,
      onReviewed: (event) => this.emit('accessReviewed', event),
    });
    const pods = new CallingPods({ directory: access.pods, maxEntries, maxAgeMs: lifetimes.maxAgeMs, clock, log });
    this.#pods = pods;
    access.podChanges?.onPodChange((uid) => pods.forget(uid));
  }

  async allowed(
    identity: ServiceAccountIdentity,
    attributes: AccessAttributes,
    { signal }: AuthenticateOptions = {},
  ): Promise<boolean> {
    signal?.throwIfAborted();
    checkIdentity(identity, 'allowed');
    return abandonable(this.decide(identity, accessQuestion(attributes, 'allowed')), signal);
  }

  async callingPod(
    identity: ServiceAccountIdentity,
    { signal }: AuthenticateOptions = {},
  ): Promise<CallingPod | undefined> {
    signal?.throwIfAborted();
    checkIdentity(identity, 'callingPod');
    return abandonable(this.podOf(identity, false), signal);
  }

  override status(): AuthenticatorStatus {
    return { ...super.status(), permissionsWatch: this.#permissions?.state };
  }

  override close(): Promise<void> {
    this.#permissions?.close();
    return super.close();
  }

  /** For the guards: synchronous where the decision is known. */
  decide(identity: ServiceAccountIdentity, question: AccessQuestion): boolean | Promise<boolean> {
    if (this.#decisions === undefined) throw nobodyToAsk();
    if (this.isClosed) return this.#unavailable(authenticatorClosed());
    return this.#orUnavailable(this.#decisions.decide(identity, question));
  }

  /** For the guards: synchronous where the Pod is known. @param anew whether what is known may be out of date */
  podOf(identity: ServiceAccountIdentity, anew: boolean): CallingPod | undefined | Promise<CallingPod | undefined> {
    if (this.#pods === undefined) throw nobodyToAsk();
    if (this.isClosed) return this.#unavailable(authenticatorClosed());
    return this.#orUnavailable(anew ? this.#pods.anew(identity) : this.#pods.of(identity));
  }

  #orUnavailable<T>(answer: T | Promise<T>): T | Promise<T> {
    return answer instanceof Promise ? answer.catch((error: unknown) => this.#unavailable(error)) : answer;
  }

  async #unavailable(error: unknown): Promise<never> {
    if (!(error instanceof Unavailability)) throw error;
    const { code, message, retryAfterSeconds } = error;
    this.emit('unavailable', { code, reason: message });
    throw new ServiceAccountAuthError(code, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
  }
}

function checkIdentity(identity: ServiceAccountIdentity, method: string): void {
  if (typeof (identity as Partial<ServiceAccountIdentity> | undefined)?.username === 'string') return;
  throw new TypeError(`${method}: expected an identity, and got none`);
}

const nobodyToAsk = (): TypeError =>
  new TypeError('With a reviewer of your own nobody can be asked about rights and Pods: give `kubeConfig` instead');
