import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { SeenObject, WatchedKind } from '../../src/authentication/revocation-source.ts';
import { ApiServer } from '../../src/kubernetes/api-server.ts';
import { kubeConfigConnection } from '../../src/kubernetes/kube-config-connection.ts';
import { ObjectLookup } from '../../src/kubernetes/object-lookup.ts';
import { watchGrant } from '../../src/kubernetes/watch-rights.ts';
import { type SimulatedCluster, startSimulatedCluster } from '../../src/testing/simulated-cluster/simulated-cluster.ts';
import { caught } from '../support/caught.ts';
import { settled } from '../support/settled.ts';
import { until } from '../support/until.ts';

let cluster: SimulatedCluster;
const open: { close(): void }[] = [];
beforeAll(async () => {
  cluster = await startSimulatedCluster();
});
afterAll(() => cluster.close());
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

function lookupAs(token?: string, timeoutMs?: number): ObjectLookup {
  const kubeConfig = token === undefined ? cluster.kubeConfig : cluster.kubeConfigOf(token);
  const apiServer = new ApiServer(async () => kubeConfigConnection(kubeConfig, () => {}), 4);
  const lookup = new ObjectLookup(apiServer, watchGrant(undefined), timeoutMs);
  open.push(lookup, apiServer);
  return lookup;
}

const lookUp = (kind: WatchedKind, name: string, token?: string): Promise<SeenObject | undefined> =>
  lookupAs(token).find(kind, 'shop', name);

test('sees the uid of an object of each kind, and that there is none', async () => {
  const pod = await cluster.createPod('shop/web-1', { serviceAccount: 'web', node: 'node-a' });
  await cluster.createPod('shop/web-2');
  const node = await cluster.createNode('node-b');
  const stands = { deletionTimestamp: undefined };
  expect(await lookUp('Pod', 'web-1')).toEqual({ uid: pod.uid, ...stands });
  expect(await lookUp('ServiceAccount', 'web')).toMatchObject({ uid: expect.any(String), ...stands });
  expect(await lookUp('Node', 'node-b')).toEqual({ uid: node.uid, ...stands });
  expect(await lookUp('Pod', 'web')).toBeUndefined();
});

test('sees since when it terminates', async () => {
  const pod = await cluster.createPod('shop/held', { finalizers: ['example.com/hold'] });
  await pod.delete();
  const { uid, deletionTimestamp = 0 } = (await lookUp('Pod', 'held')) ?? {};
  expect(uid).toBe(pod.uid);
  expect(Math.abs(deletionTimestamp - cluster.clock.now())).toBeLessThan(60_000);
});

test('takes the rights that the watch takes, and no other', async () => {
  const account = await cluster.createServiceAccount('orders/orders');
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'watches-pods' };
  const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] }];
  const subjects = [{ kind: 'ServiceAccount', namespace: 'orders', name: 'orders' }];
  await cluster.rbac(
    { apiVersion, kind: 'ClusterRole', metadata: { name: 'watches-pods' }, rules },
    { apiVersion, kind: 'ClusterRoleBinding', metadata: { name: 'watches-pods' }, roleRef, subjects },
  );
  const token = await account.token();
  expect(await lookUp('Pod', 'web-1', token)).toBeDefined();
  const error = await caught(lookUp('Node', 'node-b', token));
  expect(error).toMatchObject({ code: 'reviewer_forbidden' });
  expect(String(error)).toContain('kubectl apply');
});

test.each([
  ['no list', { body: '{}' }, 'answer_invalid'],
  ['no JSON', { body: '<html>' }, 'answer_invalid'],
  [
    'a time that is none',
    { body: JSON.stringify({ items: [{ metadata: { name: 'web-1', uid: 'uid', deletionTimestamp: 'soon' } }] }) },
    'answer_invalid',
  ],
  ['a refusal', { status: 400 }, 'api_server_error'],
] as const)('%s is unavailability, and nothing was seen', async (_, fault, code) => {
  using active = cluster.fault('pods', fault);
  expect(await caught(lookUp('Pod', 'web-1'))).toMatchObject({ code });
  expect(active.hits).toBe(1);
});

test('another object than the one asked for is not seen', async () => {
  using _ = cluster.fault('pods', { body: JSON.stringify({ items: [{ metadata: { name: 'web-2', uid: 'uid' } }] }) });
  expect(await lookUp('Pod', 'web-1')).toBeUndefined();
});

test('ends in its time, the wait for a turn included', async () => {
  using _ = cluster.fault('pods', { hang: true });
  const lookup = lookupAs(undefined, 50);
  const looks = Array.from({ length: 20 }, (__, index) => lookup.find('Pod', 'shop', `web-${index}`));
  const codes = (await Promise.all(looks.map(caught))).map((error) => (error as { code: unknown }).code);
  expect(new Set(codes)).toEqual(new Set(['api_server_timeout']));
});

test('takes eight connections at once, and no more', async () => {
  // Of another kind than those that were given up before, and may be on their way.
  using hung = cluster.fault('serviceaccounts', { hang: true });
  const lookup = lookupAs();
  const looks = Array.from({ length: 20 }, (_, index) => lookup.find('ServiceAccount', 'shop', `web-${index}`));
  await until(() => hung.hits === 8);
  await settled();
  expect(hung.hits).toBe(8);
  lookup.close();
  for (const error of await Promise.all(looks.map(caught)))
    expect(error).toMatchObject({ code: 'authenticator_closed' });
});

test('ends with close(), and begins no more', async () => {
  using hung = cluster.fault('pods', { hang: true });
  const lookup = lookupAs();
  const look = caught(lookup.find('Pod', 'shop', 'web-1'));
  await until(() => hung.hits === 1);
  lookup.close();
  const late = caught(lookup.find('Pod', 'shop', 'web-2'));
  expect([await look, await late]).toMatchObject([{ code: 'authenticator_closed' }, { code: 'authenticator_closed' }]);
  await settled();
  expect(hung.hits).toBe(1);
});
