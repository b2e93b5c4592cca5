import { expect, test } from '@jest/globals';

import { API_GROUPS, discoveryDocument } from '../../../src/testing/simulated-cluster/discovery.ts';
import { openApiDocument } from '../../../src/testing/simulated-cluster/open-api.ts';
import { startSimulatedCluster } from '../../../src/testing/simulated-cluster/simulated-cluster.ts';

const ADDRESS = 'https://127.0.0.1:6443';
const rbac = { groupVersion: 'rbac.authorization.k8s.io/v1', version: 'v1' };

test('what there is can be found from the top', () => {
  expect(discoveryDocument('/api', ADDRESS)).toEqual({
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1:6443' }],
  });
  const group = { name: 'rbac.authorization.k8s.io', versions: [rbac], preferredVersion: rbac };
  expect(discoveryDocument('/apis', ADDRESS)).toMatchObject({
    kind: 'APIGroupList',
    groups: [{ name: 'authentication.k8s.io' }, { name: 'authorization.k8s.io' }, group],
  });
  expect(discoveryDocument('/apis/rbac.authorization.k8s.io', ADDRESS)).toEqual({
    kind: 'APIGroup',
    apiVersion: 'v1',
    ...group,
  });
});

test('a version lists its resources, what belongs to them, and what can be done with each', () => {
  const core = discoveryDocument('/api/v1', ADDRESS);
  expect(core).toMatchObject({ kind: 'APIResourceList', groupVersion: 'v1' });
  expect(core).not.toHaveProperty('apiVersion');
  const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
  expect(API_GROUPS['']).toEqual(
    expect.arrayContaining([
      {
        name: 'pods',
        singularName: 'pod',
        namespaced: true,
        kind: 'Pod',
        verbs,
        shortNames: ['po'],
        categories: ['all'],
      },
      { name: 'pods/status', singularName: '', namespaced: true, kind: 'Pod', verbs: ['update'] },
      {
        name: 'namespaces',
        singularName: 'namespace',
        namespaced: false,
        kind: 'Namespace',
        verbs: verbs.filter((verb) => verb !== 'deletecollection'),
        shortNames: ['ns'],
      },
      {
        name: 'serviceaccounts/token',
        singularName: '',
        namespaced: true,
        group: 'authentication.k8s.io',
        version: 'v1',
        kind: 'TokenRequest',
        verbs: ['create'],
      },
    ]),
  );
  expect(discoveryDocument('/apis/authentication.k8s.io/v1', ADDRESS)).toEqual({
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: 'authentication.k8s.io/v1',
    resources: [
      {
        name: 'selfsubjectreviews',
        singularName: 'selfsubjectreview',
        namespaced: false,
        kind: 'SelfSubjectReview',
        verbs: ['create'],
      },
      {
        name: 'tokenreviews',
        singularName: 'tokenreview',
        namespaced: false,
        kind: 'TokenReview',
        verbs: ['create'],
      },
    ],
  });
});

test.each([
  '/version',
  '/api/v2',
  '/apis/',
  '/apis/orders.example.com',
  '/apis/rbac.authorization.k8s.io/v9',
  '/apis/rbac.authorization.k8s.io/v1/roles',
])('%s is no such document', (path) => {
  expect(discoveryDocument(path, ADDRESS)).toBeUndefined();
  expect(openApiDocument(path)).toBeUndefined();
});

test('OpenAPI says of each kind that its fields are checked by the server', () => {
  expect(openApiDocument('/openapi/v3')).toEqual({
    paths: Object.fromEntries(
      [
        'api/v1',
        ...['authentication', 'authorization', 'rbac.authorization'].map((group) => `apis/${group}.k8s.io/v1`),
      ].map((root) => [root, { serverRelativeURL: `/openapi/v3/${root}` }]),
    ),
  });
  const { paths } = openApiDocument('/openapi/v3/apis/rbac.authorization.k8s.io/v1') as { paths: object };
  expect(Object.keys(paths)).toEqual([
    '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/{name}',
    '/apis/rbac.authorization.k8s.io/v1/clusterroles/{name}',
    '/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings/{name}',
    '/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles/{name}',
  ]);
  expect(openApiDocument('/openapi/v3/apis/authentication.k8s.io/v1')).toMatchObject({
    paths: {
      '/apis/authentication.k8s.io/v1/tokenreviews': {
        patch: {
          parameters: [{ name: 'fieldValidation', in: 'query' }],
          'x-kubernetes-group-version-kind': { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenReview' },
        },
      },
    },
  });
});

test('the server answers with these documents, with a slash at the end or without', async () => {
  await using cluster = await startSimulatedCluster();
  for (const path of ['/api', '/apis', '/api/v1', '/apis/authorization.k8s.io', '/apis/authorization.k8s.io/v1']) {
    const answer = await cluster.request('GET', path);
    expect(answer).toMatchObject({ status: 200, body: discoveryDocument(path, cluster.server) });
    expect((await cluster.request('GET', `${path}/`)).body).toEqual(answer.body);
  }
  expect((await cluster.request('GET', '/openapi/v3/api/v1')).body).toEqual(openApiDocument('/openapi/v3/api/v1'));
});

test('who looks for more kinds in OpenAPI 2 is told, in protobuf, that there are none', async () => {
  await using cluster = await startSimulatedCluster();
  const get = (accept: string): ReturnType<typeof cluster.request> =>
    cluster.request('GET', '/openapi/v2', undefined, { headers: { accept } });
  const type = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
  expect(await get('application/com.github.proto-openapi.spec.v2@v1.0+protobuf')).toMatchObject({
    status: 200,
    body: '',
    headers: { 'content-type': type },
  });
  expect((await get(type)).status).toBe(200);
  expect((await get('text/html')).status).toBe(406);
});
