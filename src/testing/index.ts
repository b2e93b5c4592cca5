export {
  fakeAuthenticator,
  type FakeAuthenticator,
  type FakeAuthenticatorOptions,
  type FakeFailure,
} from './fake-authenticator.ts';
export { fakeIdentity, type FakeIdentityOptions } from './fake-identity.ts';
export {
  type SignOptions,
  SimulatedCluster,
  type SimulatedClusterOptions,
  startSimulatedCluster,
} from './simulated-cluster/simulated-cluster.ts';
export type { SimulatedApiServer } from './simulated-cluster/simulated-api-server.ts';
export type { SimulatedClock } from './simulated-cluster/clock.ts';
export type { ActiveFault, Fault } from './simulated-cluster/faults.ts';
export type { Disconnection } from './simulated-cluster/http-server.ts';
export type { KubernetesVersion } from './simulated-cluster/kubernetes-version.ts';
export type { RequestKind, RequestPattern } from './simulated-cluster/request-kind.ts';
export type { SigningKey } from './simulated-cluster/signing-key.ts';
export type { ConnectionCounters, RequestCounters } from './simulated-cluster/traffic.ts';
export {
  ClusterClient,
  type ClusterClientOptions,
  type PodOptions,
  type SecretOptions,
} from './cluster-client/cluster-client.ts';
export type { Rule, Subject } from './cluster-client/access.ts';
export type { RbacManifest } from './cluster-client/rbac-manifest.ts';
export type { ApiResponse, CallOptions } from './cluster-client/api-connection.ts';
export type { KubernetesObject } from './cluster-client/kubernetes-object.ts';
export type { NodeHandle } from './cluster-client/node-handle.ts';
export type { ObjectHandle } from './cluster-client/object-handle.ts';
export type { PodHandle } from './cluster-client/pod-handle.ts';
export type { SecretHandle } from './cluster-client/secret-handle.ts';
export type { ServiceAccountHandle } from './cluster-client/service-account-handle.ts';
export type { ServiceAccountTokenOptions, TokenOptions } from './cluster-client/token-options.ts';
