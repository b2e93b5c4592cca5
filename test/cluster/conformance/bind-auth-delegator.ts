import { setTimeout as sleep } from 'node:timers/promises';

import type { ClusterClient } from '../../../src/testing/cluster-client/cluster-client.ts';
import { serviceAccountToken } from './service-account-token.ts';

const DEADLINE_MS = 10_000;

/** As operators do it: a ClusterRoleBinding to the role that every API server makes. Waits until it is in force. */
export async function bindAuthDelegator(client: ClusterClient, serviceAccount: string): Promise<void> {
  const [namespace = '', name = ''] = serviceAccount.split('/');
  const apiGroup = 'rbac.authorization.k8s.io';
  const { status } = await client.request('POST', `/apis/${apiGroup}/v1/clusterrolebindings`, {
    metadata: { generateName: 'reviewer-' },
    roleRef: { apiGroup, kind: 'ClusterRole', name: 'system:auth-delegator' },
    subjects: [{ kind: 'ServiceAccount', namespace, name }],
  });
  if (status !== 201) throw new Error(`The ClusterRoleBinding was answered with ${status}`);
  const token = await serviceAccountToken(client, serviceAccount);
  const deadline = performance.now() + DEADLINE_MS;
  const review = { spec: { token: 'x' } };
  const path = '/apis/authentication.k8s.io/v1/tokenreviews';
  while ((await client.request('POST', path, review, { token })).status !== 201) {
    if (performance.now() > deadline) throw new Error(`${serviceAccount} may not create TokenReviews`);
    await sleep(20);
  }
}
