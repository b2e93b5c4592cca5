import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import express from 'express';

import {
  type Authenticator,
  createAuthenticator,
  k8sServiceAccountAuth,
  requireBoundPod,
  requirePermission,
} from '../../../src/index.ts';
import type { RbacManifest } from '../../../src/testing/index.ts';
import { allowWatches } from '../conformance/allow-watches.ts';
import { claimsOf } from '../conformance/claims-of.ts';
import { type ListeningServer, listening } from '../../express/support/listening.ts';
import { statusFrom } from '../../support/status-from.ts';
import { createReviewer } from '../conformance/create-reviewer.ts';
import { serviceAccountOf } from '../conformance/service-account-of.ts';
import { startTestCluster, type TestCluster } from '../conformance/test-cluster.ts';

const id = randomBytes(4).toString('hex');
const namespace = `rights-${id}`;
const group = `orders-${id}.example.com`;
const paths = `/reports-${id}`;
const rbac = '/apis/rbac.authorization.k8s.io/v1';
const address = '127.0.0.31';

let cluster: TestCluster;
let authenticator: Authenticator;
let server: ListeningServer;
let token: string;

type Rules = NonNullable<RbacManifest['rules']>;

const rulesFor = (resource: string): Rules => [{ verbs: ['get'], apiGroups: [group], resources: [resource] }];
const pathRules: Rules = [{ verbs: ['get'], nonResourceURLs: [paths] }];
const role = (name: string): RbacManifest => ({ kind: 'Role', metadata: { namespace, name }, rules: rulesFor(name) });
const clusterRole = (name: string, rules: Rules = rulesFor(name)): RbacManifest => ({
  kind: 'ClusterRole',
  metadata: { name: `${name}-${id}`, labels: { part: name } },
  rules,
});
const subjects: NonNullable<RbacManifest['subjects']> = [{ kind: 'ServiceAccount', namespace, name: 'web' }];
const bound = (kind: 'Role' | 'ClusterRole', name: string): RbacManifest => ({
  kind: 'RoleBinding',
  metadata: { namespace, name },
  roleRef: { kind, name: kind === 'Role' ? name : `${name}-${id}` },
  subjects,
});
const boundEverywhere = (name: string): RbacManifest => ({
  kind: 'ClusterRoleBinding',
  metadata: { name: `${name}-${id}` },
  roleRef: { kind: 'ClusterRole', name: `${name}-${id}` },
  subjects,
});
const clusterWide: RbacManifest[] = [];

beforeAll(async () => {
  cluster = await startTestCluster();
  const { client } = cluster;
  const pod = await client.createPod(`${namespace}/web-1`, { serviceAccount: 'web' });
  token = await pod.token({ audiences: 'orders' });
  const credential = await createReviewer(cluster);
  await allowWatches(client, serviceAccountOf(credential));
  await client.allow(
    { user: claimsOf(credential)?.['sub'] as string },
    { verb: 'get', group: '', resource: 'pods', namespace },
  );
  authenticator = createAuthenticator({
    audiences: 'orders',
    revocation: 'watch',
    kubeConfig: client.kubeConfigOf(credential),
    clock: cluster.clock,
    log: false,
  });
  await authenticator.ready();
  const app = express().set('env', 'test').use(k8sServiceAccountAuth({ authenticator }));
  const done = (_req: unknown, res: { end(): unknown }): void => void res.end();
  app.get(
    '/of/:resource',
    requirePermission((req) => ({ verb: 'get', group, namespace, resource: req.params['resource'] ?? '' })),
    done,
  );
  app.get('/path', requirePermission({ verb: 'get', path: paths }), done);
  app.get('/front', requireBoundPod({ labels: { tier: 'front' } }), done);
  app.get('/peer', requireBoundPod({ podIp: 'peer' }), done);
  server = await listening(app);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await authenticator.close();
  for (const { kind, metadata } of clusterWide) await write('DELETE', `${kind.toLowerCase()}s/${metadata.name}`);
  await cluster.client.request('DELETE', `/api/v1/namespaces/${namespace}`);
  await cluster[Symbol.asyncDispose]();
});

async function write(method: string, path: string, manifest?: RbacManifest): Promise<number> {
  return (await cluster.client.request(method, `${rbac}/${path}`, manifest)).status;
}

async function statusOf(path: string, of: string = token): Promise<number | undefined> {
  return statusFrom(address, server.port, path, of);
}

/** What a loaded machine needs on top of milliseconds: far less than the lifetime of a decision. */
const soonMs = 5_000;

async function becomes(status: number, path: string, of?: string): Promise<void> {
  const began = performance.now();
  let last = await statusOf(path, of);
  while (last !== status && performance.now() - began < soonMs) {
    await sleep(1);
    last = await statusOf(path, of);
  }
  expect(last).toBe(status);
}

/** What is allowed from then on is allowed for as long as ever, were there no watch. */
async function allowedForLong(path: string): Promise<void> {
  await becomes(200, path);
  // Begun with the first question; the test's timeout ends a wait in vain.
  while (authenticator.status().permissionsWatch !== 'live') await sleep(1);
  // What came with the grant is told by then, so that what follows is told for itself; simulated time elapses at once.
  await sleep(200);
  await cluster.elapse(5_000);
  await becomes(200, path);
}

async function refusedFromNowOn(path: string): Promise<void> {
  await becomes(403, path);
  for (let again = 0; again < 20; again += 1) {
    expect(await statusOf(path)).toBe(403);
    await sleep(5);
  }
}

async function grant(...manifests: readonly RbacManifest[]): Promise<void> {
  clusterWide.push(...manifests.filter(({ metadata }) => metadata.namespace === undefined));
  await cluster.client.rbac(...manifests);
}

describe('A right is gone at once, and stays gone,', () => {
  test('when its RoleBinding is deleted', async () => {
    await grant(role('unbound'), bound('Role', 'unbound'));
    await allowedForLong('/of/unbound');
    expect(await write('DELETE', `namespaces/${namespace}/rolebindings/unbound`)).toBe(200);
    await refusedFromNowOn('/of/unbound');
  });

  test('when it is taken out of its Role', async () => {
    await grant(role('edited'), bound('Role', 'edited'));
    await allowedForLong('/of/edited');
    expect(await write('PUT', `namespaces/${namespace}/roles/edited`, { ...role('edited'), rules: [] })).toBe(200);
    await refusedFromNowOn('/of/edited');
  });

  test('when its ClusterRoleBinding is deleted', async () => {
    await grant(clusterRole('everywhere', pathRules), boundEverywhere('everywhere'));
    await allowedForLong('/path');
    expect(await write('DELETE', `clusterrolebindings/everywhere-${id}`)).toBe(200);
    await refusedFromNowOn('/path');
  });

  test('when it is taken out of an aggregated ClusterRole', async () => {
    const piece = clusterRole('pieces');
    const whole = (rules: Rules): RbacManifest => ({
      ...clusterRole('whole', rules),
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: 'pieces' } }] },
    });
    await grant(piece, whole(rulesFor('pieces')), bound('ClusterRole', 'whole'));
    await allowedForLong('/of/pieces');
    expect(await write('PUT', `clusterroles/pieces-${id}`, { ...piece, rules: [] })).toBe(200);
    // As the controller that aggregates does; some of the clusters run none.
    expect(await write('PUT', `clusterroles/whole-${id}`, whole([]))).toBe(200);
    await refusedFromNowOn('/of/pieces');
  });
});

test('A right is there at once when it is granted, though it was denied a moment ago', async () => {
  await grant(role('granted'));
  await becomes(403, '/of/granted');
  await cluster.elapse(5_000);
  await becomes(403, '/of/granted');
  expect(await write('POST', `namespaces/${namespace}/rolebindings`, bound('Role', 'granted'))).toBe(201);
  await becomes(200, '/of/granted');
});

describe('What is known of a Pod is as new as the Pod:', () => {
  test('a label that is taken from it counts at once, and so does one that it gets', async () => {
    const pod = await cluster.client.createPod(`${namespace}/labelled`, {
      serviceAccount: 'web',
      labels: { tier: 'front' },
    });
    const own = await pod.token({ audiences: 'orders' });
    const label = async (tier: string | null): Promise<void> => {
      const headers = { 'content-type': 'application/merge-patch+json' };
      const body = { metadata: { labels: { tier } } };
      expect((await cluster.client.request('PATCH', pod.path, body, { headers })).status).toBe(200);
    };
    await becomes(200, '/front', own);
    await label(null);
    await becomes(403, '/front', own);
    await label('front');
    await becomes(200, '/front', own);
  });

  test('an address that it gets counts at once, until the Pod has ended', async () => {
    const pod = await cluster.client.createPod(`${namespace}/late`, { serviceAccount: 'web' });
    const own = await pod.token({ audiences: 'orders' });
    expect(await statusOf('/peer', own)).toBe(403);
    const becomesPhase = async (phase: string): Promise<void> => {
      const current = await pod.get();
      const status = { ...current?.status, phase, podIP: address, podIPs: [{ ip: address }] };
      const answer = await cluster.client.request('PUT', `${pod.path}/status`, { ...current, status });
      expect(answer.status).toBe(200);
    };
    await becomesPhase('Running');
    await becomes(200, '/peer', own);
    await becomesPhase('Succeeded');
    await becomes(403, '/peer', own);
  });
});
