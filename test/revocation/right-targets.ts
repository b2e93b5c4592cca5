import type { ClusterClient } from '../../src/testing/cluster-client/cluster-client.ts';
import type { RbacManifest } from '../../src/testing/index.ts';
import type { Target } from './targets.ts';

/** What a right hangs on, and is deleted to withdraw it. */
export type RightKind = 'Role' | 'RoleBinding' | 'ClusterRole' | 'ClusterRoleBinding';

/** The group of the resources that are asked about. */
export const group = 'orders.example.com';

/**
 * So many rights of one caller, each to get a resource of its own in a namespace, where a service allows it at
 * `/<namespace>/<resource>`.
 */
export async function createRightTargets(
  client: ClusterClient,
  kind: RightKind,
  count: number,
  namespace: string,
): Promise<readonly Target[]> {
  const pod = await client.createPod(`${namespace}/web-1`, { serviceAccount: 'web' });
  const token = await pod.token({ audiences: 'orders' });
  const rights = Array.from({ length: count }, (_, index) => rightTo(`orders-${index}`, kind, namespace));
  await client.rbac(...rights.flat());
  return rights.map((manifests, index) => ({
    token,
    path: `/${namespace}/orders-${index}`,
    delete: async () => {
      const { metadata } = manifests.find((manifest) => manifest.kind === kind) ?? {};
      const place = metadata?.namespace === undefined ? '' : `namespaces/${metadata.namespace}/`;
      const path = `/apis/rbac.authorization.k8s.io/v1/${place}${kind.toLowerCase()}s/${metadata?.name}`;
      const { status } = await client.request('DELETE', path);
      if (status !== 200) throw new Error(`DELETE ${path} was answered with ${status}`);
    },
  }));
}

function rightTo(resource: string, kind: RightKind, namespace: string): readonly RbacManifest[] {
  const prefix = kind.startsWith('Cluster') ? 'Cluster' : '';
  const metadata = prefix === '' ? { namespace, name: resource } : { name: `${namespace}-${resource}` };
  return [
    { kind: `${prefix}Role`, metadata, rules: [{ verbs: ['get'], apiGroups: [group], resources: [resource] }] },
    {
      kind: `${prefix}RoleBinding`,
      metadata,
      roleRef: { kind: `${prefix}Role`, name: metadata.name },
      subjects: [{ kind: 'ServiceAccount', namespace, name: 'web' }],
    },
  ];
}
