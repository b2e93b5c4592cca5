import { RBAC_GROUP } from './kinds.ts';
import type { RequestInfo } from './request-info.ts';

/** What requests are counted by and faults aimed at. A watch is none of its resource's other requests. */
export type RequestKind =
  | 'watch/pods'
  | 'watch/serviceaccounts'
  | 'watch/nodes'
  | 'watch/namespaces'
  | 'watch/secrets'
  | 'watch/rbac'
  | 'watch/other'
  | 'namespaces'
  | 'nodes'
  | 'serviceaccounts'
  | 'serviceaccounts/token'
  | 'pods'
  | 'secrets'
  | 'rbac'
  | 'tokenreviews'
  | 'selfsubjectreviews'
  | 'subjectaccessreviews'
  | 'selfsubjectaccessreviews'
  | 'jwks'
  | 'openid-configuration'
  | 'health'
  | 'version'
  | 'other';

/** `*`: all of them. */
export type RequestPattern = RequestKind | 'watch/*' | '*';

/** A count of 0 for each kind of request. */
export const NO_REQUESTS: Readonly<Record<RequestKind, number>> = {
  'watch/pods': 0,
  'watch/serviceaccounts': 0,
  'watch/nodes': 0,
  'watch/namespaces': 0,
  'watch/secrets': 0,
  'watch/rbac': 0,
  'watch/other': 0,
  namespaces: 0,
  nodes: 0,
  serviceaccounts: 0,
  'serviceaccounts/token': 0,
  pods: 0,
  secrets: 0,
  rbac: 0,
  tokenreviews: 0,
  selfsubjectreviews: 0,
  subjectaccessreviews: 0,
  selfsubjectaccessreviews: 0,
  jwks: 0,
  'openid-configuration': 0,
  health: 0,
  version: 0,
  other: 0,
};

const PATHS: Readonly<Record<string, RequestKind>> = {
  '/openid/v1/jwks': 'jwks',
  '/.well-known/openid-configuration': 'openid-configuration',
  '/healthz': 'health',
  '/livez': 'health',
  '/readyz': 'health',
  '/version': 'version',
};

export function requestKind(info: RequestInfo): RequestKind {
  if (info.type === 'nonResource') return PATHS[info.path.replace(/\/$/, '')] ?? 'other';
  if (info.verb === 'watch') return watchKind(info.group === RBAC_GROUP ? 'rbac' : info.resource);
  if (info.group === RBAC_GROUP) return 'rbac';
  const name = info.subresource ? `${info.resource}/${info.subresource}` : info.resource;
  return isRequestKind(name) ? name : 'other';
}

function watchKind(resource: string): RequestKind {
  const name = `watch/${resource}`;
  return isRequestKind(name) ? name : 'watch/other';
}

function isRequestKind(name: string): name is RequestKind {
  return Object.hasOwn(NO_REQUESTS, name);
}
