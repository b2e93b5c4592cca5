import { afterAll, beforeAll, expect, test } from '@jest/globals';

import type { ApiResponse } from '../../../src/testing/cluster-client/api-connection.ts';
import {
  type SimulatedCluster,
  startSimulatedCluster,
} from '../../../src/testing/simulated-cluster/simulated-cluster.ts';

const GROUP = '/apis/authorization.k8s.io/v1';
let cluster: SimulatedCluster;

beforeAll(async () => {
  cluster = await startSimulatedCluster();
});
afterAll(() => cluster.close());

function review(kind: string, spec: object, token?: string): Promise<ApiResponse> {
  return cluster.request('POST', `${GROUP}/${kind}`, { spec }, token === undefined ? {} : { token });
}

test('the answer repeats what was asked, without what is empty', async () => {
  const resourceAttributes = { verb: 'get', group: '', version: 'v1', resource: 'pods', name: '', namespace: 'shop' };
  const { body } = await review('subjectaccessreviews', { user: 'jane', groups: [], uid: '', resourceAttributes });
  expect(body).toMatchObject({ kind: 'SubjectAccessReview', status: { allowed: false } });
  expect((body as { spec: object }).spec).toEqual({
    user: 'jane',
    resourceAttributes: { verb: 'get', version: 'v1', resource: 'pods', namespace: 'shop' },
  });
});

test('attributes that say nothing are asked about all the same', async () => {
  const asked = { groups: ['system:masters'] };
  for (const attributes of [{ resourceAttributes: {} }, { nonResourceAttributes: {} }]) {
    expect(await review('subjectaccessreviews', { ...asked, ...attributes })).toMatchObject({
      status: 201,
      body: { status: { allowed: true } },
    });
  }
});

test('nobody, or neither kind of attributes, is 422', async () => {
  expect(await review('subjectaccessreviews', {})).toMatchObject({
    status: 422,
    body: { details: { causes: [{ field: 'spec.resourceAttributes' }, { field: 'spec.user' }] } },
  });
});

test('a review of oneself needs no user', async () => {
  const token = cluster.createUser('jane');
  await cluster.allow({ user: 'jane' }, { verb: 'get', path: '/mine' });
  const asked = (path: string): Promise<ApiResponse> =>
    review('selfsubjectaccessreviews', { nonResourceAttributes: { verb: 'get', path } }, token);
  expect((await asked('/mine')).body).toMatchObject({
    kind: 'SelfSubjectAccessReview',
    status: { allowed: true, reason: expect.stringContaining('to User "jane"') },
  });
  expect((await asked('/other')).body).toMatchObject({ status: { allowed: false } });
});

test('a local review is about its namespace, and no other', async () => {
  const path = 'namespaces/default/localsubjectaccessreviews';
  const about = (attributes: object): Promise<ApiResponse> => review(path, { user: 'jane', ...attributes });
  expect(await about({ resourceAttributes: { verb: 'get', resource: 'pods', namespace: 'default' } })).toMatchObject({
    status: 201,
    body: { kind: 'LocalSubjectAccessReview', metadata: { namespace: 'default' }, status: { allowed: false } },
  });
  for (const [namespace, named] of [
    [undefined, ''],
    ['shop', 'shop'],
  ]) {
    expect(await about({ resourceAttributes: { verb: 'get', namespace } })).toMatchObject({
      status: 400,
      body: { message: `spec.resourceAttributes.namespace must match namespace: default, not ${named}` },
    });
  }
});
