import { createAuthenticator, type ServiceAccountIdentity } from '../../src/index.ts';
import type { TestCluster } from '../cluster/conformance/test-cluster.ts';
import { type AppliedManifests, deploymentNamed } from './apply-manifests.ts';

/** Who the Pod of `manifests/web.yaml` is to the service of `manifests/orders.yaml`, asking with that one's own rights. */
export async function identityByManifests(
  { client, clock }: TestCluster,
  applied: AppliedManifests,
): Promise<ServiceAccountIdentity> {
  const { env } = deploymentNamed(applied.manifests, 'orders').spec?.template.spec?.containers[0] ?? {};
  await using authenticator = createAuthenticator({
    audiences: env?.find(({ name }) => name === 'AUDIENCE')?.value ?? '',
    kubeConfig: client.kubeConfigOf(await applied.podToken('orders')),
    clock,
    log: false,
  });
  return await authenticator.authenticate(await applied.podToken('web'));
}
