import type { KubernetesVersion } from '../../../src/testing/simulated-cluster/kubernetes-version.ts';
import { startSimulatedCluster } from '../../../src/testing/simulated-cluster/simulated-cluster.ts';
import { bindAuthDelegator } from './bind-auth-delegator.ts';
import type { TestCluster } from './test-cluster.ts';

const ISSUER = 'https://kubernetes.default.svc.cluster.local';
const SECOND_ISSUER = 'https://second.example.com';

/** Set up like the kube-apiserver that the real runs start: no controllers, two issuers, a second key, a user jane. */
export async function simulatedTestCluster(version: KubernetesVersion): Promise<TestCluster> {
  const cluster = await startSimulatedCluster({
    issuers: [ISSUER, SECOND_ISSUER],
    apiAudiences: [ISSUER],
    controllers: false,
    version,
  });
  const first = cluster.signingKey;
  const second = cluster.addSigningKey('ES256');
  const keys = { first, second, foreign: 'foreign' } as const;
  return {
    name: 'simulated',
    version,
    client: cluster,
    issuer: ISSUER,
    apiAudience: ISSUER,
    secrets: {
      sign: (claims, { key = 'first', header = {} } = {}) =>
        cluster.signToken(claims, { key: typeof key === 'string' ? keys[key] : key, header }),
      publicKey: first.publicKey,
      secondKeyId: second.keyId,
      secondIssuer: SECOND_ISSUER,
      janeToken: cluster.createUser('jane', { uid: 'jane-uid', groups: ['humans'] }),
    },
    clock: cluster.clock,
    elapse: (ms) => Promise.resolve(cluster.clock.advance(ms)),
    allowReviews: (serviceAccount) => bindAuthDelegator(cluster, serviceAccount),
    countTokenReviews: () => Promise.resolve(cluster.requests.tokenreviews),
    [Symbol.asyncDispose]: () => cluster.close(),
  };
}
