import { z } from 'zod';
import type { Request } from 'express';
import type { BoundPod, ObjectReference, ServiceAccountIdentity } from '../authentication/service-account-identity.ts';
import type { CallingPod } from '../authorization/calling-pod.ts';
import {
  identityRules,
  labelCondition,
  type PodConditions,
  podConditionNames,
} from '../authorization/pod-conditions.ts';
import type { Rule } from '../authorization/rule.ts';
import { checkOptions } from '../check-options.ts';
import { type Guard, guardOf } from './guard.ts';
import { addressBehind, isOneOf, type PeerAddress, socketAddress, type TrustedProxies } from './peer-address.ts';
import { type AuthenticatedRequest, requestContext } from './request-context.ts';

export interface BoundPodOptions extends PodConditions {
  /**
   * Where the request must come from: the Pod's own address, so that a token that was stolen from one Pod is of no use in
   * another. `'peer'`: the other end of the connection; or, behind proxies, what these say. Pods in their Node's network
   * are refused. Not for meshes and networks in which Pods do not call from their own addresses. Default: anywhere.
   */
  readonly podIp?: 'peer' | TrustedProxies;
}

const guardName = 'requireBoundPod';
const schema = z.strictObject({
  ...Object.fromEntries(podConditionNames.map((name) => [name, z.unknown().optional()])),
  podIp: z
    .union(
      [z.literal('peer'), z.strictObject({ proxies: z.array(z.string()), header: z.string().min(1).optional() })],
      {
        error: 'expected "peer", or { proxies, header? }',
      },
    )
    .optional(),
});

/** What is asked of the Pod itself, which takes a look at it. */
interface PodQuestions {
  readonly isRight: (pod: CallingPod) => boolean;
  readonly peer: PeerAddress | undefined;
}

/**
 * Allows Pod-bound tokens only: those that the kubelet projects into a Pod, which end with it; and of these the ones that
 * meet all conditions. Behind it `req.serviceAccount.pod` is known to be there.
 *
 * `labels` and `podIp` need the right to get Pods; where the Pod cannot be looked at, the request fails with 503.
 *
 * @throws {TypeError} for conditions that are unknown, empty, or can never be met
 */
export function requireBoundPod(
  conditions?: BoundPodOptions,
): Guard<{ readonly pod: ObjectReference; readonly boundTo: BoundPod }> {
  if (arguments.length > 1) throw new TypeError(`${guardName} makes the guard: use ${guardName}() on the route`);
  if (arguments.length === 1 && Object.keys(conditions ?? {}).length === 0) {
    throw new TypeError(`${guardName}: expected at least one condition, got none. Is something undefined?`);
  }
  const { podIp, labels, ...rest } = checkOptions(schema, conditions ?? {}, guardName) as BoundPodOptions;
  const rules = identityRules(guardName, rest);
  const label = labels === undefined ? undefined : labelCondition(guardName, labels);
  const peer = podIp === undefined ? undefined : podIp === 'peer' ? socketAddress : addressBehind(podIp, guardName);
  const questions =
    label || peer ? { isRight: (pod: CallingPod): boolean => label?.isMetBy(pod) ?? true, peer } : undefined;
  return guardOf({
    description: [
      'a Pod-bound token',
      ...rules.map(({ description }) => description),
      ...(label ? [label.description] : []),
      ...(peer ? ["from the Pod's own address"] : []),
    ].join(', '),
    check: (identity, req) =>
      identity.boundTo?.kind === 'Pod' &&
      meetsAll(identity, rules) &&
      (questions === undefined || checkPod(identity, req, questions)),
  });
}

/** Without a closure, of which there would be one for each request. */
function meetsAll(identity: ServiceAccountIdentity, rules: readonly Rule<never>[]): boolean {
  for (const rule of rules) if (rule.check(identity) !== true) return false;
  return true;
}

function checkPod(
  identity: ServiceAccountIdentity,
  req: Request | undefined,
  { isRight, peer }: PodQuestions,
): boolean | Promise<boolean> {
  const request = req as unknown as AuthenticatedRequest | undefined;
  const podOf = request?.[requestContext]?.podOf;
  if (request === undefined || podOf === undefined) {
    throw new TypeError(`${guardName}: check() needs a request that k8sServiceAccountAuth() has seen`);
  }
  const address = peer?.(request);
  if (peer && address === undefined) return false;
  const isFrom = (pod: CallingPod): boolean => address === undefined || isOneOf(pod.ips, address);
  const conclude = (pod: CallingPod | undefined, isNew: boolean): boolean | Promise<boolean> => {
    if (pod === undefined || !isRight(pod) || (peer && pod.hostNetwork)) return false;
    if (isFrom(pod)) return true;
    // A Pod gets its address when it starts, and another when its sandbox is made anew.
    return isNew ? false : later(podOf(identity, true), (fresh) => conclude(fresh, true));
  };
  return later(podOf(identity, false), (pod) => conclude(pod, false));
}

/** At once where that is possible, so that a Pod that is known keeps the guard synchronous. */
function later<T>(value: T | Promise<T>, then: (value: T) => boolean | Promise<boolean>): boolean | Promise<boolean> {
  return value instanceof Promise ? value.then(then) : then(value);
}
