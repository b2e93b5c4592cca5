import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import type { AuthenticatorOptions } from '../../../src/index.ts';
import { readClusterInfo } from '../cluster-info.ts';
import { startCountingProxy } from '../conformance/counting-proxy.ts';
import { startOrdersService } from '../conformance/orders-service.ts';
import { podToken } from '../conformance/pod-token.ts';
import { createReviewer } from '../conformance/create-reviewer.ts';
import { Scene } from '../conformance/scene.ts';
import { startTestCluster, type TestCluster } from '../conformance/test-cluster.ts';

const REQUESTS = 1_000;
const isOwnCluster = (await readClusterInfo())?.kind !== 'given';
// A given cluster's keys are not to be had, and others have reviews made there too.
const onOwnCluster = isOwnCluster ? test : test.skip;

let cluster: TestCluster;
let scene: Scene;

beforeAll(async () => {
  cluster = await startTestCluster();
  scene = new Scene(cluster, await createReviewer(cluster));
});
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

function options(): AuthenticatorOptions {
  return {
    audiences: 'orders',
    kubeConfig: cluster.client.kubeConfigOf(scene.reviewerToken),
    review: { timeoutMs: 60_000 },
    clock: cluster.clock,
    log: false,
  };
}

onOwnCluster('1,000 concurrent first requests with one token send one TokenReview', async () => {
  const token = await podToken(scene);
  await using service = await startOrdersService(options());
  const before = await cluster.countTokenReviews();
  const statuses = await Promise.all(Array.from({ length: REQUESTS }, () => service.statusFor(token)));
  expect(statuses).toEqual(Array(REQUESTS).fill(200));
  // A real API server counts a request when it is all over.
  await cluster.elapse(500);
  expect((await cluster.countTokenReviews()) - before).toBe(1);
});

onOwnCluster('1,000 concurrent requests with as many tokens open no more connections than the pool has', async () => {
  const serviceAccount = await scene.serviceAccount('many');
  const token = await serviceAccount.token({ audiences: 'orders' });
  const tokens = Array.from({ length: REQUESTS }, () => scene.resigned(token, { jti: randomUUID() }));
  await using proxy = await startCountingProxy(cluster.client.server);
  const kubeConfig = cluster.client.kubeConfigOf(scene.reviewerToken);
  await using service = await startOrdersService({
    ...options(),
    kubeConfig: {
      getCurrentCluster: () => ({ server: proxy.server }),
      applyToHTTPSOptions: (https) => kubeConfig.applyToHTTPSOptions(https),
    },
    review: { timeoutMs: 60_000, maxConcurrent: 8 },
  });
  const before = await cluster.countTokenReviews();
  const statuses = await Promise.all(tokens.map((one) => service.statusFor(one)));
  expect(statuses).toEqual(Array(REQUESTS).fill(200));
  await cluster.elapse(500);
  expect((await cluster.countTokenReviews()) - before).toBe(REQUESTS);
  expect(proxy.opened).toBeGreaterThan(0);
  expect(proxy.opened).toBeLessThanOrEqual(8);
});

test("a deleted Pod stays welcome for the cache's term and the API server's 10 s, and no longer", async () => {
  const pod = await scene.pod('web-2');
  const token = await pod.token({ audiences: 'orders' });
  await using service = await startOrdersService({ ...options(), cache: { maxAgeMs: 5_000 } });
  expect(await service.statusFor(token)).toBe(200);
  await pod.delete();
  expect(await service.statusFor(token)).toBe(200);
  await cluster.elapse(6_000);
  expect(await service.statusFor(token)).toBe(200);
  await cluster.elapse(11_000);
  expect(await service.statusFor(token)).toBe(401);
});
