import { randomBytes } from 'node:crypto';
import { type RequestOptions, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

import { KubeConfig } from '@kubernetes/client-node';
import { z } from 'zod';

import { systemClock } from '../../../src/authentication/clock.ts';
import { ClusterClient } from '../../../src/testing/cluster-client/cluster-client.ts';
import type { GivenCluster } from '../cluster-info.ts';
import { countTokenReviews } from './count-token-reviews.ts';
import { bindAuthDelegator } from './bind-auth-delegator.ts';
import { claimsOf } from './claims-of.ts';
import type { TestCluster } from './test-cluster.ts';

const tokenAnswer = z.object({ status: z.object({ token: z.string() }) });
const version = z.object({ gitVersion: z.string() });

/** A cluster that somebody named by its kubeconfig. Its keys are not to be had. */
export async function givenTestCluster({ kubeconfig }: GivenCluster): Promise<TestCluster> {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(kubeconfig);
  const cluster = kubeConfig.getCurrentCluster();
  if (!cluster) throw new Error(`${kubeconfig} names no cluster`);
  const options: RequestOptions = {};
  await kubeConfig.applyToHTTPSOptions(options);
  delete options.agent;
  const call = (method: string, path: string, body?: object): Promise<unknown> =>
    callAs(options, method, new URL(path, cluster.server), body);

  // The administrator's credential may be a client certificate; the tests' client wants a token.
  const namespace = `conformance-${randomBytes(4).toString('hex')}`;
  await call('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  await call('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'admin' } });
  const group = 'rbac.authorization.k8s.io';
  const bindings = `/apis/${group}/v1/clusterrolebindings`;
  await call('POST', bindings, {
    metadata: { name: namespace },
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', namespace, name: 'admin' }],
  });
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/admin/token`;
  const { token } = tokenAnswer.parse(await call('POST', path, { spec: { expirationSeconds: 3600 } })).status;
  const { iss, aud } = claimsOf(token) ?? {};
  const { gitVersion } = version.parse(await call('GET', '/version'));

  const client = new ClusterClient({ server: cluster.server, ca: String(options.ca), token });
  return {
    name: `kube-apiserver ${gitVersion.replace(/^v/, '')}`,
    version: /\d+\.\d+/.exec(gitVersion)?.[0] ?? gitVersion,
    client,
    issuer: String(iss),
    apiAudience: Array.isArray(aud) ? String(aud[0]) : String(aud),
    secrets: undefined,
    clock: systemClock,
    elapse: (ms) => sleep(ms),
    countTokenReviews: () => countTokenReviews(client),
    allowReviews: (serviceAccount) => bindAuthDelegator(client, serviceAccount),
    async [Symbol.asyncDispose]() {
      await client.close();
      await call('DELETE', `${bindings}/${namespace}`);
      await call('DELETE', `/api/v1/namespaces/${namespace}`);
    },
  };
}

async function callAs(options: RequestOptions, method: string, url: URL, body?: object): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const sent = request(url, { ...options, method }, (response) => {
    response
      .setEncoding('utf8')
      .toArray()
      .then((chunks) => {
        const text = chunks.join('');
        if ((response.statusCode ?? 0) < 300) resolve(JSON.parse(text));
        else reject(new Error(`${method} ${url.pathname}: ${response.statusCode} ${text}`));
      }, reject);
  });
  sent.setHeader('content-type', 'application/json');
  sent.once('error', reject).end(body && JSON.stringify(body));
  return promise;
}
