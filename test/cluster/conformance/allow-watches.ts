import { randomBytes } from 'node:crypto';

import type { ClusterClient } from '../../../src/testing/cluster-client/cluster-client.ts';

/** What `revocation: 'watch'` needs, and `verifyNode`: the rights of the example's manifest, and no more. */
export async function allowWatches(client: ClusterClient, serviceAccount: string): Promise<void> {
  const [namespace = '', account = ''] = serviceAccount.split('/');
  const name = `watch-${randomBytes(4).toString('hex')}`;
  const verbs = ['list', 'watch'];
  await client.rbac(
    {
      kind: 'ClusterRole',
      metadata: { name },
      rules: [
        { apiGroups: [''], resources: ['pods', 'serviceaccounts', 'nodes'], verbs },
        { apiGroups: [''], resources: ['nodes'], verbs: ['get'] },
        {
          apiGroups: ['rbac.authorization.k8s.io'],
          resources: ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'],
          verbs,
        },
      ],
    },
    {
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', namespace, name: account }],
    },
  );
}
