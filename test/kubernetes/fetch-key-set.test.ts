import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ApiServer } from '../../src/kubernetes/api-server.ts';
import { fetchKeySet } from '../../src/kubernetes/fetch-key-set.ts';
import { kubeConfigConnection } from '../../src/kubernetes/kube-config-connection.ts';
import { type SimulatedCluster, startSimulatedCluster } from '../../src/testing/simulated-cluster/simulated-cluster.ts';
import { caught } from '../support/caught.ts';

let cluster: SimulatedCluster;
let api: ApiServer;
beforeAll(async () => {
  cluster = await startSimulatedCluster();
  api = new ApiServer(async () => kubeConfigConnection(cluster.kubeConfig, () => {}), 2);
});
afterAll(async () => {
  api.close();
  await cluster.close();
});

test('asks the API server itself, which publishes what signs its tokens', async () => {
  const published = cluster.addSigningKey('ES256');
  cluster.addSigningKey('ES256', { published: false });
  expect(await fetchKeySet(api, 10_000)).toEqual({
    keys: [
      expect.objectContaining({ kid: cluster.signingKey.keyId, kty: 'RSA' }),
      expect.objectContaining({ kid: published.keyId, kty: 'EC' }),
    ],
  });
});

test.each([401, 403, 404, 406, 429, 500])('HTTP %d is api_server_error, and names path and status', async (status) => {
  using _ = cluster.fault('jwks', { status });
  expect(await caught(fetchKeySet(api, 10_000))).toMatchObject({
    code: 'api_server_error',
    message: `HTTP ${status} for /openid/v1/jwks`,
  });
});

test('what is not JSON is an error', async () => {
  using _ = cluster.fault('jwks', { body: '<html>' });
  expect(await caught(fetchKeySet(api, 10_000))).toMatchObject({ name: 'SyntaxError' });
});

test('what is not answered ends in time', async () => {
  using hang = cluster.fault('jwks', { hang: true });
  expect(await caught(fetchKeySet(api, 50))).toMatchObject({ code: 'api_server_timeout' });
  expect(hang.hits).toBeLessThanOrEqual(1);
});
