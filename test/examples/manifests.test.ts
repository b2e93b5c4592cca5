import { describe, expect, test } from '@jest/globals';
import { createAuthenticator } from '../../src/index.ts';
import { simulatedTestCluster } from '../cluster/conformance/simulated-test-cluster.ts';
import { applyManifests, deploymentNamed, readManifests } from './apply-manifests.ts';
import { identityByManifests } from './identity-by-manifests.ts';

const manifests = await readManifests();
const podOf = (deployment: string) => deploymentNamed(manifests, deployment).spec?.template.spec;
const envOf = (deployment: string, variable: string) =>
  podOf(deployment)?.containers[0]?.env?.find(({ name }) => name === variable)?.value;

describe('The manifests of the orders service', () => {
  test('have the service ask for the audience that the caller’s volume names', () => {
    expect(podOf('web')?.volumes).toEqual([
      {
        name: 'orders-token',
        projected: {
          sources: [
            {
              serviceAccountToken: { audience: envOf('orders', 'AUDIENCE'), expirationSeconds: 3600, path: 'token' },
            },
          ],
        },
      },
    ]);
  });

  test('mount the caller’s token where the caller reads it, and give it no other', () => {
    const [mount] = podOf('web')?.containers[0]?.volumeMounts ?? [];
    expect(envOf('web', 'ORDERS_TOKEN_FILE')).toBe(`${mount?.mountPath}/token`);
    expect(mount).toMatchObject({ name: 'orders-token', readOnly: true });
    expect(podOf('web')?.automountServiceAccountToken).toBe(false);
  });

  test('let the service in on the namespace that the caller is in', () => {
    expect(envOf('orders', 'SHOP_NAMESPACE')).toBe(deploymentNamed(manifests, 'web').metadata?.namespace);
  });

  test('give rights to the ServiceAccount that the service runs as, and to no other: to review, and to watch', () => {
    const bindings = manifests.filter(({ kind }) => kind === 'ClusterRoleBinding');
    const bound = (name: string): unknown =>
      expect.objectContaining({
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
        subjects: [{ kind: 'ServiceAccount', name: podOf('orders')?.serviceAccountName, namespace: 'orders' }],
      });
    expect(bindings).toEqual([bound('system:auth-delegator'), bound('orders-watch')]);
  });

  test('give no more than the watch needs: to list and watch Pods, ServiceAccounts and Nodes, and what RBAC decides by', () => {
    const roles = manifests.filter(({ kind }) => kind === 'ClusterRole');
    expect(roles).toEqual([
      expect.objectContaining({
        rules: [
          { apiGroups: [''], resources: ['pods', 'serviceaccounts', 'nodes'], verbs: ['list', 'watch'] },
          {
            apiGroups: ['rbac.authorization.k8s.io'],
            resources: ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'],
            verbs: ['list', 'watch'],
          },
        ],
      }),
    ]);
  });

  test('make the caller’s Pod known to the service, by its namespace, ServiceAccount and Pod', async () => {
    await using cluster = await simulatedTestCluster('1.36');
    await using applied = await applyManifests(cluster);
    expect(await identityByManifests(cluster, applied)).toMatchObject({
      namespace: deploymentNamed(applied.manifests, 'web').metadata?.namespace,
      name: 'web',
      boundTo: { kind: 'Pod', name: 'web-0' },
      audiences: ['orders'],
    });
  });

  test('let the caller cancel orders, where the service asks, and do nothing else', async () => {
    await using cluster = await simulatedTestCluster('1.36');
    await using applied = await applyManifests(cluster);
    const identity = await identityByManifests(cluster, applied);
    await using authenticator = createAuthenticator({ kubeConfig: cluster.client.kubeConfig, log: false });
    const orders = { group: 'orders.example.com', resource: 'orders', namespace: identity.namespace };

    expect(await authenticator.allowed(identity, { ...orders, verb: 'delete', name: '7' })).toBe(true);
    expect(await authenticator.allowed(identity, { ...orders, verb: 'create' })).toBe(false);
  });
});
