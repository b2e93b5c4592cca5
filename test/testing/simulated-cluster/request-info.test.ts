import { expect, test } from '@jest/globals';
import { requestInfo } from '../../../src/testing/simulated-cluster/request-info.ts';

function read(method: string, path: string): object {
  const { pathname, searchParams } = new URL(path, 'https://host');
  return requestInfo(method, decodeURIComponent(pathname), searchParams);
}

const NONE = { type: 'resource', group: '', version: 'v1', namespace: '', name: '', subresource: '' };
const IN_SHOP = { ...NONE, namespace: 'shop' };

test.each([
  ['GET', '/api/v1/namespaces/shop/', { ...IN_SHOP, verb: 'get', resource: 'namespaces', name: 'shop' }],
  ['GET', '/api/v1/pods', { ...NONE, verb: 'list', resource: 'pods' }],
  ['GET', '/api/v1/pods?watch=1', { ...NONE, verb: 'watch', resource: 'pods' }],
  ['GET', '/api/v1/pods?watch=true', { ...NONE, verb: 'watch', resource: 'pods' }],
  ['GET', '/api/v1/pods?watch=0', { ...NONE, verb: 'list', resource: 'pods' }],
  ['HEAD', '/api/v1/nodes/n', { ...NONE, verb: 'get', resource: 'nodes', name: 'n' }],
  ['POST', '/api/v1/namespaces', { ...NONE, verb: 'create', resource: 'namespaces' }],
  ['DELETE', '/api/v1/namespaces/shop', { ...IN_SHOP, verb: 'delete', resource: 'namespaces', name: 'shop' }],
  [
    'PUT',
    '/api/v1/namespaces/shop/status',
    { ...IN_SHOP, verb: 'update', resource: 'namespaces', name: 'shop', subresource: 'status' },
  ],
  ['DELETE', '/api/v1/namespaces/shop/pods', { ...IN_SHOP, verb: 'deletecollection', resource: 'pods' }],
  ['PATCH', '/api/v1/namespaces/shop/pods/p%2d1/', { ...IN_SHOP, verb: 'patch', resource: 'pods', name: 'p-1' }],
  [
    'POST',
    '/apis/apps/v2/namespaces/shop/things/t/scale',
    { ...IN_SHOP, verb: 'create', group: 'apps', version: 'v2', resource: 'things', name: 't', subresource: 'scale' },
  ],
  ['OPTIONS', '/api/v1/pods', { ...NONE, verb: '', resource: 'pods' }],
])('%s %s is about a resource', (method, path, info) => {
  expect(read(method, path)).toEqual(info);
});

test.each(['/', '/version', '/api', '/api/v1', '/apis', '/apis/apps', '/apis/apps/v1', '/other/v1/pods'])(
  '%s is about no resource',
  (path) => {
    expect(read('GET', path)).toEqual({ type: 'nonResource', verb: 'get', path });
  },
);
