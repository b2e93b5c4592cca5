import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { ApiServer } from '../../src/kubernetes/api-server.ts';
import { kubeConfigConnection } from '../../src/kubernetes/kube-config-connection.ts';
import { nodeLookup } from '../../src/kubernetes/node-lookup.ts';
import { type SimulatedCluster, startSimulatedCluster } from '../../src/testing/simulated-cluster/simulated-cluster.ts';
import { caught } from '../support/caught.ts';

let cluster: SimulatedCluster;
let apiServer: ApiServer;
beforeAll(async () => {
  cluster = await startSimulatedCluster();
});
afterAll(() => cluster.close());
afterEach(() => apiServer.close());

function uidOf(name: string, token?: string, timeoutMs = 3_000, waitedMs = 0): Promise<string | undefined> {
  const kubeConfig = token === undefined ? cluster.kubeConfig : cluster.kubeConfigOf(token);
  apiServer = new ApiServer(async () => kubeConfigConnection(kubeConfig, () => {}), 4);
  return nodeLookup(apiServer, timeoutMs).uidOf(name, waitedMs);
}

test('tells the uid of a Node as it is now, and that there is none', async () => {
  const first = await cluster.createNode('node-a');
  expect(await uidOf('node-a')).toBe(first.uid);
  await first.delete();
  expect(await uidOf('node-a')).toBeUndefined();
  const second = await cluster.createNode('node-a');
  expect(await uidOf('node-a')).toBe(second.uid);
});

test('asks for a name and not for a path', async () => {
  expect(await uidOf('../namespaces/default')).toBeUndefined();
  expect(await uidOf('node-a?x=1')).toBeUndefined();
});

test('without the right to get Nodes says so to the operator, and how to grant it', async () => {
  const token = await (await cluster.createServiceAccount('orders/orders')).token();
  const error = await caught(uidOf('node-a', token));
  expect(error).toMatchObject({ code: 'reviewer_forbidden' });
  expect(String(error)).toContain('--verb=get --resource=nodes');
  expect(String(error)).toContain('--serviceaccount=orders:orders');
});

test.each([
  ['a 404 that is not the API server’s', { status: 404, body: 'not here' }, 'api_server_error'],
  ['another Node', { body: JSON.stringify({ metadata: { name: 'node-b', uid: 'uid' } }) }, 'answer_invalid'],
  ['no Node', { body: '{}' }, 'answer_invalid'],
  ['no JSON', { body: '<html>' }, 'answer_invalid'],
  ['trouble', { status: 503 }, 'api_server_overloaded'],
] as const)('%s is unavailability and no verdict', async (_, fault, code) => {
  await cluster.request('POST', '/api/v1/nodes', { metadata: { name: 'node-a' } });
  using active = cluster.fault('nodes', fault);
  expect(await caught(uidOf('node-a'))).toMatchObject({ code });
  expect(active.hits).toBe(1);
});

test('ends in the time that the token has left', async () => {
  using _ = cluster.fault('nodes', { hang: true });
  expect(await caught(uidOf('node-a', undefined, 3_000, 2_950))).toMatchObject({ code: 'api_server_timeout' });
});
