import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';

import {
  type Authenticator,
  type AuthenticatorOptions,
  createAuthenticator,
  ServiceAccountAuthError,
  type WatchState,
} from '../../../src/authenticator.ts';
import { systemClock } from '../../../src/authentication/clock.ts';
import { ClusterClient } from '../../../src/testing/cluster-client/cluster-client.ts';
import { FlakyNetwork, reset } from '../../faults/flaky-network.ts';
import type { KubeConfigLike } from '../../../src/kubernetes/kube-config.ts';
import { readClusterInfo } from '../cluster-info.ts';
import { allowWatches } from '../conformance/allow-watches.ts';
import { bindAuthDelegator } from '../conformance/bind-auth-delegator.ts';
import { type OwnCluster, type Replica, startOwnCluster } from '../conformance/own-cluster.ts';
import { createReviewer } from '../conformance/create-reviewer.ts';
import { Scene } from '../conformance/scene.ts';
import { serviceAccountOf } from '../conformance/service-account-of.ts';
import { serviceAccountToken } from '../conformance/service-account-token.ts';
import { startTestCluster, type TestCluster } from '../conformance/test-cluster.ts';
import { startKubeApiserver } from '../kube-apiserver.ts';

const info = await readClusterInfo();
// A cluster that somebody gave is not ours to restart.
const onOwnCluster = info?.kind === 'given' ? test.skip : test;
const describeOnOwnCluster = info?.kind === 'given' ? describe.skip : describe;

let cluster: TestCluster;
let scene: Scene;

beforeAll(async () => {
  cluster = await startTestCluster();
  const reviewer = await createReviewer(cluster);
  scene = new Scene(cluster, reviewer);
  await allowWatches(cluster.client, serviceAccountOf(reviewer));
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

const isLive = (state: WatchState): boolean => state === 'live';

async function watching(options: AuthenticatorOptions = {}): Promise<Authenticator> {
  const authenticator = createAuthenticator({
    audiences: 'orders',
    revocation: 'watch',
    kubeConfig: cluster.client.kubeConfigOf(scene.reviewerToken),
    clock: cluster.clock,
    log: false,
    ...options,
  });
  while (!(await isWatching(authenticator))) await sleep(10);
  return authenticator;
}

/** Of rights that were just granted an API server may not have heard yet. */
async function isWatching(authenticator: Authenticator): Promise<boolean> {
  try {
    await authenticator.ready();
  } catch (error) {
    if ((error as { code?: unknown }).code === 'reviewer_forbidden') return false;
    throw error;
  }
  return Object.values(authenticator.status().watches ?? {}).every(isLive);
}

async function codeOf(authenticator: Authenticator, token: string): Promise<string> {
  try {
    await authenticator.authenticate(token);
    return 'accepted';
  } catch (error) {
    return error instanceof ServiceAccountAuthError ? error.code : String(error);
  }
}

/** After how many milliseconds it was first refused, at most: a bound, and no measurement. */
async function refusedWithin(authenticator: Authenticator, token: string): Promise<number> {
  const began = performance.now();
  while ((await codeOf(authenticator, token)) === 'accepted') await sleep(1);
  return performance.now() - began;
}

const audiences = 'orders';
/** The short term, and what a loaded machine needs on top of milliseconds. */
const soonMs = 5_000;

describe('the old tokens are out, and the new ones work at once:', () => {
  test('a Pod that was recreated under its name', async () => {
    await using authenticator = await watching();
    const old = await scene.pod('web-1');
    const [first, second] = [await old.token({ audiences }), await old.token({ audiences })];
    expect(await codeOf(authenticator, first)).toBe('accepted');
    await old.delete();
    const fresh = await (await scene.pod('web-1')).token({ audiences });
    expect(await refusedWithin(authenticator, first)).toBeLessThan(soonMs);
    // One that was never seen, and that the API server may still vouch for.
    expect(await codeOf(authenticator, second)).toBe('token_revoked');
    expect([await codeOf(authenticator, first), await codeOf(authenticator, fresh)]).toEqual([
      'token_revoked',
      'accepted',
    ]);
  });

  test('a ServiceAccount that was recreated under its name', async () => {
    await using authenticator = await watching();
    const old = await scene.serviceAccount('batch');
    const token = await old.token({ audiences });
    expect(await codeOf(authenticator, token)).toBe('accepted');
    await old.delete();
    const fresh = await (await scene.serviceAccount('batch')).token({ audiences });
    expect(await refusedWithin(authenticator, token)).toBeLessThan(soonMs);
    expect([await codeOf(authenticator, token), await codeOf(authenticator, fresh)]).toEqual([
      'token_revoked',
      'accepted',
    ]);
  });

  test('a Node that was replaced, for tokens bound to it', async () => {
    await using authenticator = await watching();
    const serviceAccount = await scene.serviceAccount('agent');
    const old = await scene.node('node-r');
    const token = await old.token({ serviceAccount, audiences });
    expect(await codeOf(authenticator, token)).toBe('accepted');
    await old.delete();
    const fresh = await (await scene.node('node-r')).token({ serviceAccount, audiences });
    expect(await refusedWithin(authenticator, token)).toBeLessThan(soonMs);
    expect([await codeOf(authenticator, token), await codeOf(authenticator, fresh)]).toEqual([
      'token_revoked',
      'accepted',
    ]);
  });

  test('a Node that was replaced, for the Pods on it, with verifyNode; without it they stay', async () => {
    await using verifying = await watching({ verifyNode: true });
    await using plain = await watching();
    const node = await scene.node('node-v');
    const pod = await scene.pod('on-node-v', { node: 'node-v' });
    const token = await pod.token({ audiences });
    expect([await codeOf(verifying, token), await codeOf(plain, token)]).toEqual(['accepted', 'accepted']);
    await node.delete();
    await scene.node('node-v');
    expect(await refusedWithin(verifying, token)).toBeLessThan(soonMs);
    await using late = await watching({ verifyNode: true });
    expect([await codeOf(plain, token), await codeOf(late, token)]).toEqual(['accepted', 'node_not_verified']);
    // As the kubelet's next token, which names the new Node.
    expect(await codeOf(verifying, await pod.token({ audiences }))).toBe('accepted');
  });

  test('a namespace that was deleted with what is in it', async () => {
    await using authenticator = await watching();
    const account = await scene.serviceAccount('tenant', { namespace: 'leaving' });
    const token = await account.token({ audiences });
    expect(await codeOf(authenticator, token)).toBe('accepted');
    // As the namespace controller does: kube-apiserver alone runs none.
    await account.delete();
    expect(await refusedWithin(authenticator, token)).toBeLessThan(soonMs);
  });
});

test('a Pod that a finalizer holds is in until its deletionTimestamp and 60 s, and out from then on', async () => {
  await using authenticator = await watching();
  const pod = await scene.pod('held', { finalizers: ['example.com/hold'] });
  const token = await pod.token({ audiences });
  expect(await codeOf(authenticator, token)).toBe('accepted');
  await pod.delete();
  await cluster.elapse(50_000);
  expect(await codeOf(authenticator, token)).toBe('accepted');
  await cluster.elapse(12_000);
  expect(await codeOf(authenticator, token)).not.toBe('accepted');
  await pod.setFinalizers([]);
}, 120_000);

test('a Pod that was terminating before the watch began is out at the same moment, though no event tells of it', async () => {
  const pod = await scene.pod('held-before', { finalizers: ['example.com/hold'] });
  const token = await pod.token({ audiences });
  await pod.delete();
  await using authenticator = await watching({ cache: { maxAgeMs: 5_000 } });
  await cluster.elapse(45_000);
  for (const _ of ['reviewed', 'looked up meanwhile']) {
    expect(await codeOf(authenticator, token)).toBe('accepted');
    await cluster.elapse(5_000);
  }
  await cluster.elapse(7_000);
  expect(await codeOf(authenticator, token)).not.toBe('accepted');
  await pod.setFinalizers([]);
}, 120_000);

test('the same Pod is out at once with refuseTerminating', async () => {
  await using authenticator = await watching({ revocation: { refuseTerminating: true } });
  const pod = await scene.pod('held-too', { finalizers: ['example.com/hold'] });
  const token = await pod.token({ audiences });
  expect(await codeOf(authenticator, token)).toBe('accepted');
  await pod.delete();
  expect(await refusedWithin(authenticator, token)).toBeLessThan(soonMs);
  await pod.setFinalizers([]);
});

test('a Pod deleted before the watch began is accepted for the short term, while the API server vouches for it, and no longer', async () => {
  const pod = await scene.pod('before');
  const token = await pod.token({ audiences });
  await using early = createAuthenticator({
    audiences,
    kubeConfig: cluster.client.kubeConfigOf(scene.reviewerToken),
    clock: cluster.clock,
    log: false,
  });
  expect(await codeOf(early, token)).toBe('accepted');
  await pod.delete();
  await using authenticator = await watching({ cache: { maxAgeMs: 5_000 } });
  // From the API server's memory.
  expect(await codeOf(authenticator, token)).toBe('accepted');
  await cluster.elapse(16_000);
  expect(await codeOf(authenticator, token)).toBe('token_refused');
}, 60_000);

test('Pods deleted while the watch is cut off are out once it is back, and nobody alive is refused', async () => {
  const server = new URL(cluster.client.server);
  const network = new FlakyNetwork(Number(server.port));
  await network.start();
  try {
    const kubeConfig = cluster.client.kubeConfigOf(scene.reviewerToken);
    await using authenticator = await watching({
      kubeConfig: {
        getCurrentCluster: () => ({ server: `https://127.0.0.1:${network.port}` }),
        applyToHTTPSOptions: (https) => kubeConfig.applyToHTTPSOptions(https),
      },
    });
    const tokens = await Promise.all(
      ['cut-1', 'cut-2', 'stays'].map(async (name) => {
        const pod = await scene.pod(name);
        return { pod, token: await pod.token({ audiences }) };
      }),
    );
    for (const { token } of tokens) expect(await codeOf(authenticator, token)).toBe('accepted');
    network.become(reset);
    const [first, other, stays] = tokens;
    await first?.pod.delete();
    await other?.pod.delete();
    for (let second = 0; second < 10; second += 1) {
      await cluster.elapse(3_000);
      expect(await codeOf(authenticator, stays?.token ?? '')).toBe('accepted');
    }
    network.leadTo();
    for (const gone of [first, other]) {
      expect(await refusedWithin(authenticator, gone?.token ?? '')).toBeLessThan(3 * soonMs);
      expect(await codeOf(authenticator, gone?.token ?? '')).toBe('token_revoked');
    }
    expect(await codeOf(authenticator, stays?.token ?? '')).toBe('accepted');
  } finally {
    await network.stop();
  }
}, 120_000);

/** Watches a cluster of a test's own, as a ServiceAccount of it. */
async function watchingOwn(
  own: Pick<OwnCluster, 'client' | 'clock'>,
  { network, ca, ...options }: AuthenticatorOptions & { network?: FlakyNetwork; ca?: string } = {},
): Promise<Authenticator> {
  await own.client.createServiceAccount('orders/orders');
  await bindAuthDelegator(own.client, 'orders/orders');
  await allowWatches(own.client, 'orders/orders');
  const kubeConfig = own.client.kubeConfigOf(await serviceAccountToken(own.client, 'orders/orders'));
  const through: KubeConfigLike = {
    getCurrentCluster: () =>
      network ? { server: `https://127.0.0.1:${network.port}` } : kubeConfig.getCurrentCluster(),
    async applyToHTTPSOptions(https) {
      await kubeConfig.applyToHTTPSOptions(https);
      if (ca !== undefined) https.ca = ca;
    },
  };
  return await watching({ kubeConfig: through, clock: own.clock, ...options });
}

/** While they are not as they should be, whoever has these tokens is accepted. */
async function watchesBecome(
  holds: (state: WatchState) => boolean,
  authenticator: Authenticator,
  tokens: readonly string[],
): Promise<void> {
  while (!Object.values(authenticator.status().watches ?? {}).every(holds)) {
    for (const token of tokens) expect(await codeOf(authenticator, token)).toBe('accepted');
    await sleep(1);
  }
}
const isNotLive = (state: WatchState): boolean => state !== 'live';

onOwnCluster(
  'a restart of the API server is survived: who lives is accepted throughout, and who is deleted afterwards is out',
  async () => {
    await using own = await startOwnCluster();
    await using authenticator = await watchingOwn(own);
    const [stays, goes] = [await own.client.createPod('shop/stays'), await own.client.createPod('shop/goes')];
    const [staying, going] = [await stays.token({ audiences }), await goes.token({ audiences })];
    for (const token of [staying, going]) expect(await codeOf(authenticator, token)).toBe('accepted');
    const restarted = own.restart();
    await watchesBecome(isNotLive, authenticator, [staying, going]);
    await restarted;
    await watchesBecome(isLive, authenticator, [staying, going]);
    await goes.delete();
    expect(await refusedWithin(authenticator, going)).toBeLessThan(soonMs);
    expect([await codeOf(authenticator, going), await codeOf(authenticator, staying)]).toEqual([
      'token_revoked',
      'accepted',
    ]);
  },
  120_000,
);

describeOnOwnCluster('of two API servers one lags:', () => {
  let own: OwnCluster;
  let replica: Replica;
  let network: FlakyNetwork;
  let ca: string;
  const portOf = ({ server }: ClusterClient): number => Number(new URL(server).port);

  beforeEach(async () => {
    own = await startOwnCluster();
    replica = await own.addReplica();
    ca = own.client.ca + replica.client.ca;
    network = new FlakyNetwork(0);
    await network.start();
  }, 60_000);
  afterEach(async () => {
    await network.stop();
    await own[Symbol.asyncDispose]();
  });

  /** From now on watches go to the one, and all else to the other. */
  async function watchAndReview(
    authenticator: Authenticator,
    watched: ClusterClient,
    reviewing: ClusterClient,
  ): Promise<void> {
    network.become(reset);
    await watchesBecome(isNotLive, authenticator, []);
    network.leadTo(portOf(watched));
    await watchesBecome(isLive, authenticator, []);
    network.leadNewOnesTo(portOf(reviewing));
  }

  async function isVouchedFor(token: string): Promise<boolean> {
    const path = '/apis/authentication.k8s.io/v1/tokenreviews';
    const { body } = await replica.client.request('POST', path, { spec: { token, audiences: [audiences] } });
    return (body as { status: { authenticated?: boolean } }).status.authenticated ?? false;
  }

  test('whoever is gone is out at once, and stays out, though the one that is asked goes on vouching for it', async () => {
    network.leadTo(portOf(own.client));
    await using authenticator = await watchingOwn(own, { network, ca });
    const [stays, goes] = [await own.client.createPod('shop/stays'), await own.client.createPod('shop/goes')];
    const [staying, going, unseen] = [
      await stays.token({ audiences }),
      await goes.token({ audiences }),
      await goes.token({ audiences }),
    ];
    for (const token of [staying, going]) expect(await codeOf(authenticator, token)).toBe('accepted');
    await watchAndReview(authenticator, own.client, replica.client);
    replica.hold();
    await goes.delete();
    expect(await refusedWithin(authenticator, going)).toBeLessThan(soonMs);
    for (let second = 0; second < 12; second += 3) {
      expect([await isVouchedFor(going), await isVouchedFor(unseen)]).toEqual([true, true]);
      for (const token of [going, unseen]) expect(await codeOf(authenticator, token)).toBe('token_revoked');
      expect(await codeOf(authenticator, staying)).toBe('accepted');
      expect(await codeOf(authenticator, await stays.token({ audiences }))).toBe('accepted');
      await own.elapse(3_000);
    }
  }, 120_000);

  test('whoever is gone is out after the short term where that is the one that is watched, and nobody alive is refused', async () => {
    network.leadTo(portOf(replica.client));
    await using authenticator = await watchingOwn(own, { network, ca, cache: { maxAgeMs: 5_000 } });
    const [stays, goes] = [await own.client.createPod('shop/stays'), await own.client.createPod('shop/goes')];
    const [staying, going] = [await stays.token({ audiences }), await goes.token({ audiences })];
    await watchAndReview(authenticator, replica.client, own.client);
    // So that the watch has covered a whole short term before their reviews.
    await own.elapse(6_000);
    for (const token of [staying, going]) expect(await codeOf(authenticator, token)).toBe('accepted');
    replica.hold();
    await goes.delete();
    await own.elapse(5_000);
    // The API server that is asked has forgotten after 10 s that it vouched for it.
    for (let second = 0; second < 30; second += 1) {
      expect(await codeOf(authenticator, staying)).toBe('accepted');
      const code = await codeOf(authenticator, going);
      if (second > 11) expect(code).not.toBe('accepted');
      await own.elapse(1_000);
    }
  }, 120_000);
});

/** Of a real one only: etcd's data is copied and put back. */
const onOwnKubeApiserver = info?.kind === 'started' ? test : test.skip;

onOwnKubeApiserver(
  'an etcd that is restored from a backup, which no watch tells of, is noticed: who is deleted afterwards is out, and nobody alive is refused',
  async () => {
    await using own = await startKubeApiserver();
    await using client = new ClusterClient({ server: own.server, ca: own.ca, token: own.adminToken });
    await using authenticator = await watchingOwn({ client, clock: systemClock });
    const [stays, goes] = [await client.createPod('shop/stays'), await client.createPod('shop/goes')];
    const [staying, going] = [await stays.token({ audiences }), await goes.token({ audiences })];
    for (const token of [staying, going]) expect(await codeOf(authenticator, token)).toBe('accepted');
    await own.backUpEtcd();
    for (let index = 0; index < 50; index += 1) await client.createServiceAccount(`shop/later-${index}`);
    await watchesBecome(isLive, authenticator, [staying, going]);
    const restored = own.restoreEtcd();
    await watchesBecome(isNotLive, authenticator, [staying, going]);
    await restored;
    await watchesBecome(isLive, authenticator, [staying, going]);
    await goes.delete();
    expect(await refusedWithin(authenticator, going)).toBeLessThan(soonMs);
    expect(await codeOf(authenticator, staying)).toBe('accepted');
  },
  120_000,
);
