import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import express from 'express';

import { type Authenticator, createAuthenticator, k8sServiceAccountAuth, requireBoundPod } from '../../../src/index.ts';
import type { PodHandle } from '../../../src/testing/index.ts';
import { type ListeningServer, listening } from '../../express/support/listening.ts';
import { statusFrom } from '../../support/status-from.ts';
import { createReviewer } from '../conformance/create-reviewer.ts';
import { claimsOf } from '../conformance/claims-of.ts';
import { startTestCluster, type TestCluster } from '../conformance/test-cluster.ts';

const namespace = `pods-${randomBytes(4).toString('hex')}`;
// Two addresses of the loopback range are two Pods.
const webIp = '127.0.0.21';
const batchIp = '127.0.0.22';

let cluster: TestCluster;
let authenticator: Authenticator;
let server: ListeningServer;
let web: PodHandle;
let batch: PodHandle;

beforeAll(async () => {
  cluster = await startTestCluster();
  const { client } = cluster;
  web = await client.createPod(`${namespace}/web-1`, {
    serviceAccount: 'web',
    labels: { app: 'web', tier: 'front' },
    podIP: webIp,
  });
  batch = await client.createPod(`${namespace}/batch-1`, {
    serviceAccount: 'web',
    labels: { app: 'batch', canary: 'true' },
    podIP: batchIp,
  });
  const credential = await createReviewer(cluster);
  const reviewer = claimsOf(credential)?.['sub'] as string;
  await client.allow({ user: reviewer }, { verb: 'get', group: '', resource: 'pods', namespace });
  authenticator = createAuthenticator({
    audiences: 'orders',
    kubeConfig: client.kubeConfigOf(credential),
    clock: cluster.clock,
    log: false,
  });
  const app = express().set('env', 'test').use(k8sServiceAccountAuth({ authenticator }));
  for (const [path, guard] of [
    ['/peer', requireBoundPod({ podIp: 'peer' })],
    ['/front', requireBoundPod({ labels: { tier: 'front' } })],
    ['/selected', requireBoundPod({ labels: 'app in (web, api), !canary', namespace })],
  ] as const) {
    app.get(path, guard, (_req, res) => {
      res.end();
    });
  }
  server = await listening(app, '::');
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await authenticator.close();
  await cluster.client.request('DELETE', `/api/v1/namespaces/${namespace}`);
  await cluster[Symbol.asyncDispose]();
});

async function statusOf(path: string, token: string, localAddress = webIp): Promise<number | undefined> {
  return statusFrom(localAddress, server.port, path, token);
}

test('a token that was stolen from one Pod is of no use in another', async () => {
  const stolen = await web.token({ audiences: 'orders' });

  expect(await statusOf('/peer', stolen, webIp)).toBe(200);
  expect(await statusOf('/peer', stolen, batchIp)).toBe(403);
  expect(await statusOf('/peer', await batch.token({ audiences: 'orders' }), batchIp)).toBe(200);
});

test('labels tell Pods of one ServiceAccount apart', async () => {
  const [webToken, batchToken] = [await web.token({ audiences: 'orders' }), await batch.token({ audiences: 'orders' })];

  expect(await Promise.all(['/front', '/selected'].map((path) => statusOf(path, webToken)))).toEqual([200, 200]);
  expect(await Promise.all(['/front', '/selected'].map((path) => statusOf(path, batchToken)))).toEqual([403, 403]);
});

test('a Pod that has got its address only now is let through from there', async () => {
  const late = await cluster.client.createPod(`${namespace}/late`, { serviceAccount: 'web' });
  const token = await late.token({ audiences: 'orders' });
  expect(await statusOf('/peer', token, '127.0.0.23')).toBe(403);
  await cluster.elapse(1_000);
  const current = await late.get();
  const status = { ...current?.status, phase: 'Running', podIP: '127.0.0.23', podIPs: [{ ip: '127.0.0.23' }] };
  await cluster.client.request('PUT', `${late.path}/status`, { ...current, status });

  expect(await statusOf('/peer', token, '127.0.0.23')).toBe(200);
});

test('a Pod that was replaced by a namesake is not the caller any more', async () => {
  const first = await cluster.client.createPod(`${namespace}/twin`, {
    serviceAccount: 'web',
    labels: { tier: 'front' },
  });
  const token = await first.token({ audiences: 'orders' });
  await authenticator.authenticate(token);
  await first.delete();
  await cluster.client.createPod(`${namespace}/twin`, { serviceAccount: 'web', labels: { tier: 'front' } });

  expect(await statusOf('/front', token)).toBe(403);
});
