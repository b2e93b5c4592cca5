import { expect, test } from '@jest/globals';

import { applyManifests, deploymentNamed } from '../../examples/apply-manifests.ts';
import { identityByManifests } from '../../examples/identity-by-manifests.ts';
import { startTestCluster } from '../conformance/test-cluster.ts';

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
