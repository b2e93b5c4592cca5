import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { systemClock } from '../../../src/authentication/clock.ts';
import { ClusterClient } from '../../../src/testing/cluster-client/cluster-client.ts';
import { signToken } from '../../../src/testing/simulated-cluster/sign-token.ts';
import { signingKey } from '../../../src/testing/simulated-cluster/signing-key.ts';
import type { StartedCluster } from '../cluster-info.ts';
import { countTokenReviews } from './count-token-reviews.ts';
import { bindAuthDelegator } from './bind-auth-delegator.ts';
import type { TestCluster } from './test-cluster.ts';

/** A kube-apiserver of our own: its keys are at hand. */
export function startedTestCluster(info: Omit<StartedCluster, 'kubeconfig'>): TestCluster {
  const client = new ClusterClient({ server: info.server, ca: info.ca, token: info.adminToken });
  const first = signingKey(createPrivateKey(info.signingKey));
  const keys = {
    first,
    second: signingKey(createPrivateKey(info.secondSigningKey)),
    foreign: { ...first, privateKey: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey },
  };
  return {
    name: `kube-apiserver ${info.version}`,
    version: info.version.split('.').slice(0, 2).join('.'),
    client,
    issuer: info.issuer,
    apiAudience: info.apiAudience,
    secrets: {
      sign(claims, { key = 'first', header = {} } = {}) {
        const { keyId, algorithm, privateKey } = typeof key === 'string' ? keys[key] : { ...first, privateKey: key };
        return signToken({ alg: algorithm, kid: keyId, ...header }, claims, privateKey);
      },
      publicKey: first.publicKey,
      secondKeyId: keys.second.keyId,
      secondIssuer: info.secondIssuer,
      janeToken: info.janeToken,
    },
    clock: systemClock,
    elapse: (ms) => sleep(ms),
    countTokenReviews: () => countTokenReviews(client),
    allowReviews: (serviceAccount) => bindAuthDelegator(client, serviceAccount),
    [Symbol.asyncDispose]: () => client.close(),
  };
}
