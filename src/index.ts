export { k8sServiceAccountAuth } from './express/k8s-service-account-auth.ts';
export type {
  AuthenticatorLike,
  K8sServiceAccountAuthOptions,
  MiddlewareOptions,
  ServiceAccountAuthMiddleware,
  SharedAuthenticatorOptions,
} from './express/k8s-service-account-auth.ts';
export { type AccessDescription, describeAccess, type RouteAccess } from './express/describe-access.ts';
export { allOf } from './express/all-of.ts';
export { anyOf } from './express/any-of.ts';
export { type BoundPodOptions, requireBoundPod } from './express/require-bound-pod.ts';
export type { TrustedProxies } from './express/peer-address.ts';
export type { PodConditions } from './authorization/pod-conditions.ts';
export type { Labels } from './authorization/label-selector.ts';
export { requireGroup } from './express/require-group.ts';
export { requireIdentity } from './express/require-identity.ts';
export { requireNamespace } from './express/require-namespace.ts';
export { requireNode } from './express/require-node.ts';
export { requirePermission } from './express/require-permission.ts';
export { requireServiceAccount } from './express/require-service-account.ts';
export { requestPath } from './express/request-path.ts';
export { serviceAccountOf } from './express/service-account-of.ts';
export type { Guard, Proven } from './express/guard.ts';
export type { Rule } from './authorization/rule.ts';
export type { Mode } from './express/request-context.ts';
export type { GuardedHandler } from './express/typed-routes.ts';
export type { ComputedAttributes } from './authorization/access-attributes.ts';
export type { AcceptedValues, ValueOf } from './authorization/accepted-values.ts';
export * from './authenticator.ts';
