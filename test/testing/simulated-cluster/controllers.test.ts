import { describe, expect, test } from '@jest/globals';
import { startSimulatedCluster } from '../../../src/testing/simulated-cluster/simulated-cluster.ts';
import { review } from './review.ts';

describe('by default', () => {
  test('a namespace has a ServiceAccount `default`', async () => {
    await using cluster = await startSimulatedCluster();
    await cluster.createNamespace('shop');
    expect((await cluster.request('GET', '/api/v1/namespaces/shop/serviceaccounts/default')).status).toBe(200);
  });

  test('a deleted namespace takes along what is in it, and can be made anew', async () => {
    await using cluster = await startSimulatedCluster();
    const namespace = await cluster.createNamespace('shop');
    const pod = await cluster.createPod('shop/web-1', { node: 'node-a' });
    await cluster.createSecret('shop/legacy', { legacyTokenFor: 'default' });
    const token = await pod.token({ audiences: 'orders' });
    await namespace.delete();

    expect(await namespace.get()).toBeUndefined();
    expect(await pod.get()).toBeUndefined();
    expect((await review(cluster, token, 'orders')).error).toBe(
      '[invalid bearer token, serviceaccounts "default" not found]',
    );
    expect((await cluster.createPod('shop/web-1')).uid).not.toBe(pod.uid);
  });

  test('a finalizer in a namespace holds it: it is terminating and takes nothing new', async () => {
    await using cluster = await startSimulatedCluster();
    const namespace = await cluster.createNamespace('shop');
    const pod = await cluster.createPod('shop/held', { finalizers: ['example.com/hold'] });
    await namespace.delete();
    await namespace.delete();

    expect((await namespace.get())?.status?.phase).toBe('Terminating');
    await expect(cluster.createPod('shop/late')).rejects.toThrow(
      /403 serviceaccounts "default" is forbidden: unable to create new content in namespace shop because it is being terminated/,
    );
    await pod.setFinalizers([]);
    expect(await namespace.get()).toBeUndefined();
  });

  test("a ServiceAccount's token Secrets go with it, other Secrets stay", async () => {
    await using cluster = await startSimulatedCluster();
    const account = await cluster.createServiceAccount('shop/robot');
    const legacy = await cluster.createSecret('shop/robot-token', { legacyTokenFor: 'robot' });
    const other = await cluster.createSecret('shop/other', { data: { key: 'value' } });
    await account.delete();

    expect(await legacy.get()).toBeUndefined();
    expect((await other.get())?.data).toEqual({ key: Buffer.from('value').toString('base64') });
  });
});

describe('without controllers', () => {
  test('a deleted namespace stays, terminating, with all that is in it', async () => {
    await using cluster = await startSimulatedCluster({ controllers: false });
    const pod = await cluster.createPod('shop/web-1');
    await cluster.request('DELETE', '/api/v1/namespaces/shop');

    expect((await cluster.request('GET', '/api/v1/namespaces/shop')).body).toMatchObject({
      status: { phase: 'Terminating' },
    });
    expect((await review(cluster, await tokenSignedBefore(cluster, pod.uid), 'orders')).authenticated).toBe(true);
  });

  test('there is no ServiceAccount that was not created', async () => {
    await using cluster = await startSimulatedCluster({ controllers: false });
    await cluster.createNamespace('shop');
    expect((await cluster.request('GET', '/api/v1/namespaces/shop/serviceaccounts/default')).status).toBe(404);
  });
});

async function tokenSignedBefore(
  cluster: Awaited<ReturnType<typeof startSimulatedCluster>>,
  podUid: string,
): Promise<string> {
  const { body } = await cluster.request('GET', '/api/v1/namespaces/shop/serviceaccounts/default');
  const { uid } = (body as { metadata: { uid: string } }).metadata;
  return cluster.signToken({
    iss: 'https://kubernetes.default.svc.cluster.local',
    aud: 'orders',
    'kubernetes.io': {
      namespace: 'shop',
      serviceaccount: { name: 'default', uid },
      pod: { name: 'web-1', uid: podUid },
    },
  });
}
