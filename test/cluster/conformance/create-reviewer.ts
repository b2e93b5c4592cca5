import { randomBytes } from 'node:crypto';

import { serviceAccountToken } from './service-account-token.ts';
import type { TestCluster } from './test-cluster.ts';

/** The token of a new ServiceAccount that may create TokenReviews: nothing reviews as the administrator. */
export async function createReviewer(cluster: TestCluster): Promise<string> {
  const serviceAccount = `orders-${randomBytes(4).toString('hex')}/reviewer`;
  await cluster.client.createServiceAccount(serviceAccount);
  await cluster.allowReviews(serviceAccount);
  return serviceAccountToken(cluster.client, serviceAccount);
}
