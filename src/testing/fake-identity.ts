import type { ServiceAccountIdentity } from '../authentication/service-account-identity.ts';

export interface FakeIdentityOptions {
  /** The name of the Pod that the token is bound to; none: the token is bound to its ServiceAccount alone. */
  readonly pod?: string;
  /** The name of the Node: the Pod's, or without a Pod the one that the token is bound to. */
  readonly node?: string;
  /** Default: `['fake-audience']`. */
  readonly audiences?: readonly string[];
  /** Groups beyond the three that every ServiceAccount has. */
  readonly groups?: readonly string[];
}

/** Not the moment of the call, or equal calls would differ by a millisecond now and then. */
const loadedAt = Date.now();

/**
 * An identity as a review would yield it: issued when the tests were loaded, good for an hour, and with uids made from
 * the names, so that equal calls make equal identities.
 *
 * @param serviceAccount as `namespace/name`
 * @throws {TypeError} where it is not of that form
 */
export function fakeIdentity(serviceAccount: string, options: FakeIdentityOptions = {}): ServiceAccountIdentity {
  const [namespace, name, ...more] = serviceAccount.split('/');
  if (!namespace || !name || more.length > 0) {
    throw new TypeError(`fakeIdentity: "${serviceAccount}" is not of the form "namespace/name"`);
  }
  const { pod, node, audiences = ['fake-audience'], groups = [] } = options;
  const podReference = pod === undefined ? undefined : reference(`pod-${namespace}`, pod);
  const nodeReference = node === undefined ? undefined : reference('node', node);
  return Object.freeze({
    username: `system:serviceaccount:${namespace}:${name}`,
    namespace,
    name,
    uid: uidOf(`serviceaccount-${namespace}`, name),
    groups: Object.freeze([
      'system:serviceaccounts',
      `system:serviceaccounts:${namespace}`,
      'system:authenticated',
      ...groups,
    ]),
    audiences: Object.freeze([...audiences]),
    boundTo: podReference
      ? Object.freeze({ kind: 'Pod', ...podReference })
      : nodeReference && Object.freeze({ kind: 'Node', ...nodeReference }),
    ...(podReference && { pod: podReference }),
    ...(nodeReference && { node: nodeReference }),
    credentialId: `fake-${namespace}-${name}`,
    issuedAt: loadedAt,
    expiresAt: loadedAt + 3_600_000,
    reviewedAt: loadedAt,
    extra: Object.freeze({}),
  });
}

const reference = (scope: string, name: string): { readonly name: string; readonly uid: string } =>
  Object.freeze({ name, uid: uidOf(scope, name) });

/** No name has a slash, so that no two objects share a uid. */
const uidOf = (scope: string, name: string): string => `uid-of-${scope}/${name}`;
