import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { ApiResponse } from '../../../src/testing/cluster-client/api-connection.ts';
import {
  type SimulatedCluster,
  startSimulatedCluster,
} from '../../../src/testing/simulated-cluster/simulated-cluster.ts';

const ACCOUNTS = '/api/v1/namespaces/shop/serviceaccounts';
let cluster: SimulatedCluster;

beforeAll(async () => {
  cluster = await startSimulatedCluster();
  await cluster.createServiceAccount('shop/web');
});
afterAll(() => cluster.close());

async function accounts(): Promise<unknown> {
  return ((await cluster.request('GET', ACCOUNTS)).body as { items: unknown }).items;
}

async function version(): Promise<unknown> {
  const { body } = await cluster.request('GET', `${ACCOUNTS}/web`);
  return (body as { metadata: { resourceVersion: unknown } }).metadata.resourceVersion;
}

/** Tries it, and sees that nothing has come of it. */
async function tried(method: string, path: string, body?: unknown, headers = {}): Promise<ApiResponse> {
  const before = await accounts();
  const answer = await cluster.request(method, path, body, { headers });
  expect(await accounts()).toEqual(before);
  return answer;
}

describe('with dryRun=All the answer is as if it were done, and nothing is', () => {
  test('a creation, whose object has no version', async () => {
    const { status, body } = await tried('POST', `${ACCOUNTS}?dryRun=All`, { metadata: { name: 'new' } });
    expect(status).toBe(201);
    expect(body).toMatchObject({ metadata: { name: 'new', uid: expect.any(String) } });
    expect(body).not.toHaveProperty('metadata.resourceVersion');
  });

  test('a creation that fails', async () => {
    expect((await tried('POST', `${ACCOUNTS}?dryRun=All`, { metadata: { name: 'web' } })).status).toBe(409);
  });

  test('a change, whose object has the version that is stored', async () => {
    const metadata = { name: 'web', labels: { a: 'b' }, resourceVersion: await version() };
    expect(
      await tried('PUT', `${ACCOUNTS}/web?dryRun=All`, { metadata: { name: 'web', labels: { a: 'b' } } }),
    ).toMatchObject({ status: 200, body: { metadata } });
    const type = { 'content-type': 'application/merge-patch+json' };
    expect(
      await tried('PATCH', `${ACCOUNTS}/web?dryRun=All`, { metadata: { labels: { a: 'b' } } }, type),
    ).toMatchObject({ status: 200, body: { metadata } });
  });

  test('a creation by PUT', async () => {
    const path = '/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles/new';
    expect((await cluster.request('PUT', `${path}?dryRun=All`, { metadata: { name: 'new' } })).status).toBe(201);
    expect((await cluster.request('GET', path)).status).toBe(404);
  });

  test('a deletion, in the query or in its options', async () => {
    expect((await tried('DELETE', `${ACCOUNTS}/web?dryRun=All`)).status).toBe(200);
    expect((await tried('DELETE', `${ACCOUNTS}/web`, { dryRun: ['All'] })).status).toBe(200);
    expect((await tried('DELETE', `${ACCOUNTS}?dryRun=All`)).status).toBe(200);
  });

  test('a deletion that is answered by a Status', async () => {
    const secret = await cluster.createSecret('shop/kept');
    expect((await cluster.request('DELETE', `${secret.path}?dryRun=All`)).body).toMatchObject({ status: 'Success' });
    expect(await secret.get()).toBeDefined();
  });
});

test('options in the body of a deletion stand for those of the query', async () => {
  await cluster.createServiceAccount('shop/gone');
  await cluster.request('DELETE', `${ACCOUNTS}/gone?dryRun=All`, { gracePeriodSeconds: 0 });
  expect((await cluster.request('GET', `${ACCOUNTS}/gone`)).status).toBe(404);
});

test.each([
  ['POST', ACCOUNTS, 'CreateOptions', { metadata: { name: 'a' } }],
  ['PUT', `${ACCOUNTS}/web`, 'UpdateOptions', { metadata: { name: 'web' } }],
  ['DELETE', `${ACCOUNTS}/web`, 'DeleteOptions', undefined],
])('%s with another value is 422', async (method, path, kind, content) => {
  const { status, body } = await tried(method, `${path}?dryRun=Some`, content);
  expect(status).toBe(422);
  expect(body).toMatchObject({
    message: `${kind}.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"`,
    details: { group: 'meta.k8s.io', kind, causes: [{ field: 'dryRun', reason: 'FieldValueNotSupported' }] },
  });
});
