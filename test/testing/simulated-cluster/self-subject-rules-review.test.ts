import { afterAll, beforeAll, expect, test } from '@jest/globals';

import {
  type SimulatedCluster,
  startSimulatedCluster,
} from '../../../src/testing/simulated-cluster/simulated-cluster.ts';

const PATH = '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews';
let cluster: SimulatedCluster;

beforeAll(async () => {
  cluster = await startSimulatedCluster();
});
afterAll(() => cluster.close());

test("the caller's rights in a namespace are those of all its roles, here and in the whole cluster", async () => {
  const user = 'jane';
  const pods = { verb: 'get', group: '', resource: 'pods', namespace: 'shop' };
  await cluster.allow({ user }, pods, { ...pods, resource: 'secrets', name: 'key' });
  await cluster.allow({ user }, { ...pods, namespace: 'elsewhere', verb: 'delete' }, { verb: 'get', path: '/reports' });
  const token = cluster.createUser(user);
  const { status, body } = await cluster.request('POST', PATH, { spec: { namespace: 'shop' } }, { token });
  expect(status).toBe(201);
  expect(body).toMatchObject({ kind: 'SelfSubjectRulesReview', metadata: {}, spec: {}, status: { incomplete: false } });
  const { resourceRules, nonResourceRules } = (body as { status: Record<string, readonly object[]> }).status;
  const granted = resourceRules?.filter((rule) => !String(Object(rule)['apiGroups']).includes('.k8s.io'));
  expect(granted).toHaveLength(2);
  expect(granted).toEqual(
    expect.arrayContaining([
      { verbs: ['get'], apiGroups: [''], resources: ['pods'] },
      { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['key'] },
    ]),
  );
  expect(nonResourceRules).toEqual(expect.arrayContaining([{ verbs: ['get'], nonResourceURLs: ['/reports'] }]));
});

test.each([{}, { spec: {} }])('%j names no namespace: 400', async (review) => {
  expect(await cluster.request('POST', PATH, review)).toMatchObject({
    status: 400,
    body: { message: 'no namespace on request' },
  });
});
