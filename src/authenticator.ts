export { createAuthenticator } from './create-authenticator.ts';
export { bearerToken } from './authentication/bearer-token.ts';
export { ServiceAccountAuthError } from './authentication/errors.ts';
export type {
  CredentialsErrorCode,
  ErrorCode,
  ErrorDetails,
  ErrorStatus,
  RejectionCode,
  UnavailabilityCode,
} from './authentication/errors.ts';
export type {
  AuthenticateOptions,
  AuthenticatorStatus,
  LastReview,
  TokenAuthenticator,
} from './authentication/authenticator.ts';
export type { Authenticator } from './kubernetes-authenticator.ts';
export type { AccessAttributes, NonResourceAttributes, ResourceAttributes } from './authorization/access-attributes.ts';
export type { CallingPod } from './authorization/calling-pod.ts';
export type { AuthenticatorEvent, AuthenticatorEvents, Listener } from './authentication/events.ts';
export type { EndListener, EndOfIdentity } from './authentication/open-streams.ts';
export type { WatchedKind, WatchState } from './authentication/revocation-source.ts';
export type { Circuit } from './authentication/reviewer.ts';
export type { Clock } from './authentication/clock.ts';
export type { Log, LogEntry } from './authentication/log.ts';
export type {
  BoundNode,
  BoundObject,
  BoundPod,
  BoundSecret,
  NodeReference,
  ObjectReference,
  ServiceAccountIdentity,
} from './authentication/service-account-identity.ts';
export type {
  AuthenticatorOptions,
  CacheOptions,
  DecisionOptions,
  ReviewOptions,
  RevocationOptions,
} from './authenticator-options.ts';
export type { ReviewFunction } from './kubernetes/bounded-reviewer.ts';
export type { KubeConfigCluster, KubeConfigLike } from './kubernetes/kube-config.ts';
export type { TokenReviewRequest } from './kubernetes/token-review.ts';
