import { randomUUID } from 'node:crypto';
import type { KubernetesObject } from '../cluster-client/kubernetes-object.ts';
import type { TokenAuthority } from './authenticate.ts';
import { deleteObject } from './deletion.ts';
import { aggregateRoles } from './aggregate-roles.ts';
import { issueLegacyToken } from './issue-token.ts';
import { CLUSTER_ROLE, KINDS, NAMESPACE, SECRET, SERVICE_ACCOUNT } from './kinds.ts';
import { timestamp } from './timestamp.ts';

/**
 * What kube-controller-manager does in a whole cluster, as far as tokens notice: each namespace has a ServiceAccount
 * `default`; a deleted namespace is emptied and removed; a Secret of the type `kubernetes.io/service-account-token` gets
 * its token and goes with its ServiceAccount; ClusterRoles are aggregated. All of it happens at once, Pods stopping without
 * delay.
 */
export function runControllers(authority: TokenAuthority): void {
  const { etcd: store, clock } = authority;

  store.onChange(({ type, kind, object }) => {
    const { name, namespace, deletionTimestamp } = object.metadata;
    if (kind === NAMESPACE && type === 'ADDED') createDefaultServiceAccount(name);
    if (kind === NAMESPACE && type === 'MODIFIED' && deletionTimestamp !== undefined) emptyNamespace(name);
    if (kind === SECRET && type === 'ADDED') fillTokenSecret(object);
    if (kind === CLUSTER_ROLE) aggregateRoles(store);
    if (kind === SERVICE_ACCOUNT && type === 'DELETED') deleteTokenSecretsOf(object);
    if (type === 'DELETED' && namespace !== undefined) removeNamespaceIfEmpty(namespace);
  });

  function createDefaultServiceAccount(namespace: string): void {
    store.create(SERVICE_ACCOUNT, {
      kind: 'ServiceAccount',
      apiVersion: 'v1',
      metadata: {
        name: 'default',
        namespace,
        uid: randomUUID(),
        resourceVersion: '',
        creationTimestamp: timestamp(clock.now()),
      },
    });
  }

  function emptyNamespace(name: string): void {
    for (const kind of KINDS.filter(({ namespaced }) => namespaced)) {
      for (const { metadata } of store.list(kind, name)) {
        // An earlier deletion may have taken it along, as that of a ServiceAccount takes its Secrets.
        const object = store.get(kind, name, metadata.name);
        if (object) deleteObject(store, kind, object, clock.now(), 0);
      }
    }
    removeNamespaceIfEmpty(name);
  }

  function removeNamespaceIfEmpty(name: string): void {
    const namespace = store.get(NAMESPACE, undefined, name);
    const isEmpty = KINDS.every((kind) => !kind.namespaced || store.list(kind, name).length === 0);
    const isHeld = (namespace?.metadata.finalizers ?? []).length > 0;
    if (namespace?.metadata.deletionTimestamp !== undefined && isEmpty && !isHeld) store.remove(NAMESPACE, namespace);
  }

  function fillTokenSecret(secret: KubernetesObject): void {
    const { namespace = '', name } = secret.metadata;
    const owner = ownerOf(secret);
    const serviceAccount = owner === undefined ? undefined : store.get(SERVICE_ACCOUNT, namespace, owner);
    if (!serviceAccount || secret.data?.['token']) return;
    const { uid } = serviceAccount.metadata;
    const token = issueLegacyToken(authority, namespace, name, { name: serviceAccount.metadata.name, uid });
    store.update(SECRET, {
      ...secret,
      metadata: {
        ...secret.metadata,
        annotations: { ...secret.metadata.annotations, 'kubernetes.io/service-account.uid': uid },
      },
      data: {
        ...secret.data,
        namespace: Buffer.from(namespace).toString('base64'),
        token: Buffer.from(token).toString('base64'),
      },
    });
  }

  function deleteTokenSecretsOf({ metadata: { namespace, name } }: KubernetesObject): void {
    for (const secret of store.list(SECRET, namespace)) {
      if (ownerOf(secret) === name) deleteObject(store, SECRET, secret, clock.now());
    }
  }
}

/** The name of the ServiceAccount whose token the Secret is to hold. */
function ownerOf({ type, metadata }: KubernetesObject): string | undefined {
  if (type !== 'kubernetes.io/service-account-token') return undefined;
  return metadata.annotations?.['kubernetes.io/service-account.name'];
}
