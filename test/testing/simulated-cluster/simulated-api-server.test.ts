import { request } from 'node:https';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ClusterClient } from '../../../src/testing/cluster-client/cluster-client.ts';
import type { SimulatedApiServer } from '../../../src/testing/simulated-cluster/simulated-api-server.ts';
import {
  type SimulatedCluster,
  startSimulatedCluster,
} from '../../../src/testing/simulated-cluster/simulated-cluster.ts';
import { openWatch, type WatchEvent } from '../../support/open-watch.ts';
import { review } from './review.ts';

const PODS = '/api/v1/namespaces/shop/pods';
const INVALIDATED = '[invalid bearer token, service account token has been invalidated]';

let cluster: SimulatedCluster;
let replica: SimulatedApiServer;
beforeEach(async () => {
  cluster = await startSimulatedCluster();
  replica = await cluster.addReplica();
});
afterEach(() => cluster.close());

async function names(client: ClusterClient, query = ''): Promise<string[]> {
  const { body } = await client.request('GET', `${PODS}${query}`);
  return (body as { items: { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name);
}

/** Of users, who are counted and disturbed. */
async function statusFor({ kubeConfig }: ClusterClient, path: string): Promise<number> {
  using watch = await openWatch(kubeConfig, path);
  return watch.status;
}

const isDeleted = ({ type }: WatchEvent): boolean => type === 'DELETED';

describe('a replica', () => {
  test('has an address of its own and the same CA, keys, users and objects', async () => {
    const before = await cluster.createPod('shop/web-1');
    const written = await replica.createPod('shop/web-2');
    const token = cluster.createUser('jane');

    expect(replica.server).not.toBe(cluster.server);
    expect(replica.ca).toBe(cluster.ca);
    expect(await names(replica)).toEqual(['web-1', 'web-2']);
    expect(await names(cluster)).toEqual(['web-1', 'web-2']);
    expect(await review(replica, await before.token())).toMatchObject({ authenticated: true });
    expect(await review(cluster, await written.token())).toMatchObject({ authenticated: true });
    expect((await replica.request('GET', PODS, undefined, { token })).status).toBe(403);
  });

  test('has counters and faults of its own', async () => {
    using _ = replica.fault('version', { status: 500 });

    expect(await statusFor(replica, '/version')).toBe(500);
    expect(await statusFor(cluster, '/version')).toBe(200);
    expect(replica.requests).toMatchObject({ version: 1, total: 1 });
    expect(replica.connections.opened).toBe(1);
    expect(cluster.requests.total).toBe(1);
  });

  test('remembers a token for 10 s by itself', async () => {
    const pod = await cluster.createPod('shop/web-1');
    const token = await pod.token();
    expect(await review(replica, token)).toMatchObject({ authenticated: true });
    await pod.delete();

    expect(await review(cluster, token)).toMatchObject({ error: INVALIDATED });
    expect(await review(replica, token)).toMatchObject({ authenticated: true });
    cluster.clock.advance(10_000);
    expect(await review(replica, token)).toMatchObject({ error: INVALIDATED });
  });

  test('ends with the cluster, or before it', async () => {
    const other = await cluster.addReplica();
    await replica.close();
    await expect(statusFor(replica, '/version')).rejects.toThrow('ECONNREFUSED');
    expect(await statusFor(other, '/version')).toBe(200);
    await cluster.close();
    await expect(statusFor(other, '/version')).rejects.toThrow('ECONNREFUSED');
  });
});

describe('while it is held', () => {
  test('vouches for a deleted Pod, for as long as that lasts and the 10 s of its memory', async () => {
    const pod = await cluster.createPod('shop/web-1');
    const token = await pod.token();
    replica.hold();
    await pod.delete();
    cluster.clock.advance(145_000);

    expect(await review(cluster, token)).toMatchObject({ error: INVALIDATED });
    expect(await review(replica, token)).toMatchObject({ authenticated: true });
    replica.release();
    expect(await review(replica, token)).toMatchObject({ authenticated: true });
    cluster.clock.advance(10_000);
    expect(await review(replica, token)).toMatchObject({ error: INVALIDATED });
  });

  test('takes a Pod that was made anew for the one it knows, and asks etcd for one that it does not know', async () => {
    const old = await cluster.createPod('shop/web-1');
    replica.hold();
    await old.delete();
    const made = await cluster.createPod('shop/web-1');
    const other = await cluster.createPod('shop/web-2', { serviceAccount: 'new' });

    const { error } = await review(replica, await made.token());
    expect(error).toMatch(/pod UID \(\S+\) does not match service account pod ref claim/);
    expect(await review(replica, await other.token())).toMatchObject({ authenticated: true });
    replica.release();
    expect(await review(replica, await made.token())).toMatchObject({ authenticated: true });
  });

  test('its watches say nothing, and then all of it in its order', async () => {
    using watch = await openWatch(replica.kubeConfig, `${PODS}?watch=1`);
    using elsewhere = await openWatch(cluster.kubeConfig, `${PODS}?watch=1`);
    replica.hold();
    const pod = await cluster.createPod('shop/web-1');
    await pod.delete();
    await elsewhere.find(isDeleted);
    expect(watch.events).toEqual([]);
    replica.release();
    await watch.find(isDeleted);

    expect(watch.events).toEqual(elsewhere.events);
    const next = await cluster.createPod('shop/web-2');
    await watch.find(({ object }) => object.metadata['uid'] === next.uid);
  });

  test('a watch from what it has not seen yet begins once it has', async () => {
    replica.hold();
    await cluster.createPod('shop/web-1');
    const { body } = await replica.request('GET', `${PODS}?limit=1`);
    const { resourceVersion } = (body as { metadata: { resourceVersion: string } }).metadata;
    using watch = await openWatch(
      replica.kubeConfig,
      `${PODS}?watch=1&allowWatchBookmarks=1&resourceVersion=${resourceVersion}`,
    );
    cluster.clock.advance(60_000);
    await cluster.createPod('shop/web-2');
    expect(watch.events).toEqual([]);
    replica.release();
    await watch.find(({ object }) => object.metadata.name === 'web-2');

    expect(watch.events.map(({ object }) => object.metadata.name)).toEqual(['web-2']);
  });

  test('its lists and rights are old, but not what it asks etcd for', async () => {
    await cluster.createPod('shop/web-1');
    const token = await (await cluster.createServiceAccount('shop/lister')).token();
    replica.hold();
    const { body } = await replica.request('GET', `${PODS}?resourceVersion=0`);
    await cluster.createPod('shop/web-2');
    await cluster.allow('shop/lister', { verb: 'list', group: '', resource: 'pods', namespace: 'shop' });
    const listed = async (by: ClusterClient): Promise<number> =>
      (await by.request('GET', PODS, undefined, { token })).status;

    expect(await names(replica, '?resourceVersion=0')).toEqual(['web-1']);
    const { resourceVersion } = (body as { metadata: { resourceVersion: string } }).metadata;
    expect(await names(replica, `?resourceVersion=${resourceVersion}&resourceVersionMatch=NotOlderThan`)).toEqual([
      'web-1',
    ]);
    expect(await names(replica)).toEqual(['web-1', 'web-2']);
    expect(await names(replica, '?limit=5')).toEqual(['web-1', 'web-2']);
    expect((await replica.request('GET', `${PODS}/web-2`)).status).toBe(200);
    expect([await listed(cluster), await listed(replica)]).toEqual([200, 403]);
    replica.release();
    expect(await listed(replica)).toBe(200);
  });

  test('a restart makes it read everything anew', async () => {
    const pod = await cluster.createPod('shop/web-1');
    const token = await pod.token();
    replica.hold();
    await pod.delete();
    replica.restart();

    expect(await review(replica, token)).toMatchObject({ error: INVALIDATED });
    await cluster.createPod('shop/web-2');
    expect(await names(replica, '?resourceVersion=0')).toEqual([]);
    replica.release();
    expect(await names(replica, '?resourceVersion=0')).toEqual(['web-2']);
  });

  test('the only API server can lag behind its etcd too', async () => {
    const pod = await cluster.createPod('shop/web-1');
    const token = await pod.token();
    cluster.hold();
    await pod.delete();
    expect(await review(cluster, token)).toMatchObject({ authenticated: true });
  });
});

describe('forward', () => {
  test('lets another one answer, as a load balancer does: a watch here, a review there', async () => {
    const pod = await cluster.createPod('shop/web-1');
    const token = await pod.token();
    replica.hold();
    {
      using forwarding = cluster.forward('tokenreviews', replica);
      using watch = await openWatch(cluster.kubeConfig, `${PODS}?watch=1`);
      await pod.delete();
      await watch.find(isDeleted);

      expect(await userReview(cluster, token)).toMatchObject({ authenticated: true });
      expect(forwarding.hits).toBe(1);
      expect(cluster.requests.tokenreviews).toBe(1);
      expect(replica.requests.tokenreviews).toBe(0);
    }
    expect(await userReview(cluster, token)).toMatchObject({ error: INVALIDATED });
  });

  test('as many requests as `times` says, watches too', async () => {
    replica.hold();
    using _ = cluster.forward('watch/*', replica, { times: 1 });
    using watch = await openWatch(cluster.kubeConfig, `${PODS}?watch=1`);
    using second = await openWatch(cluster.kubeConfig, `${PODS}?watch=1`);
    await cluster.createPod('shop/web-1');
    await second.find(() => true);
    expect(watch.events).toEqual([]);
    replica.release();
    await watch.find(() => true);
  });
});

/** A review of the administrator's at the address for users. */
function userReview({ server, ca, kubeConfig }: ClusterClient, token: string): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  void (async () => {
    const options = { ca, method: 'POST', agent: false as const, headers: { 'content-type': 'application/json' } };
    await kubeConfig.applyToHTTPSOptions(options);
    const sent = request(new URL('/apis/authentication.k8s.io/v1/tokenreviews', server), options, (response) => {
      response
        .setEncoding('utf8')
        .toArray()
        .then((chunks) => resolve(JSON.parse(chunks.join('')).status), reject);
    });
    sent.once('error', reject).end(JSON.stringify({ spec: { token } }));
  })().catch(reject);
  return promise;
}
