import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test } from '@jest/globals';

import { applyManifests, deploymentNamed } from '../../examples/apply-manifests.ts';
import { identityByManifests } from '../../examples/identity-by-manifests.ts';
import { readClusterInfo } from '../cluster-info.ts';
import { startTestCluster } from '../conformance/test-cluster.ts';

// The simulated one knows no priority and fairness.
const onRealCluster = (await readClusterInfo()) === undefined ? test.skip : test;

test("The API server takes the example's manifests to the last field, and they make the caller known to the service", async () => {
  await using cluster = await startTestCluster();
  await using applied = await applyManifests(cluster);
  expect(await identityByManifests(cluster, applied)).toMatchObject({
    namespace: deploymentNamed(applied.manifests, 'web').metadata?.namespace,
    name: 'web',
    boundTo: { kind: 'Pod', name: 'web-0' },
    audiences: ['orders'],
  });
});

onRealCluster(
  "The FlowSchema of the manifests takes the service's reviews and its requests for keys, and no others",
  async () => {
    await using cluster = await startTestCluster();
    await using applied = await applyManifests(cluster);
    const { client } = cluster;
    const { name } = applied.manifests.find(({ kind }) => kind === 'FlowSchema')?.metadata ?? {};
    const { body } = await client.request('GET', `/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/${name}`);
    const { uid } = (body as { metadata: { uid: string } }).metadata;
    const token = await applied.podToken('orders');
    const schemaOf = async (method: string, path: string, content?: object): Promise<unknown> =>
      (await client.request(method, path, content, { token })).headers['x-kubernetes-pf-flowschema-uid'];
    const ofReview = (): Promise<unknown> =>
      schemaOf('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: 'x' } });

    // The API server learns of the schema by a watch of its own; the test's timeout ends a wait in vain.
    while ((await ofReview()) !== uid) await sleep(50);
    expect(await schemaOf('GET', '/openid/v1/jwks')).toBe(uid);
    expect(await schemaOf('GET', '/version')).not.toBe(uid);
    expect(await schemaOf('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {})).not.toBe(uid);
  },
);
