import { expect, test } from '@jest/globals';

import { PodHandle } from '../../../src/testing/cluster-client/pod-handle.ts';

const metadata = { name: 'web-1', namespace: 'shop', uid: 'u', resourceVersion: '1', creationTimestamp: 'now' };
const pod = { kind: 'Pod', apiVersion: 'v1', metadata };

test.each([
  [{ serviceAccountName: 'web', nodeName: 'node-a' }, 'web', 'node-a'],
  [{}, 'default', undefined],
  [undefined, 'default', undefined],
])('of a Pod with %j, tokens are of the ServiceAccount %s', async (spec, serviceAccountName, nodeName) => {
  const asked: string[] = [];
  const handle = new PodHandle(
    (_method, path) => {
      asked.push(path);
      return Promise.resolve({ status: 201, headers: {}, body: { status: { token: 'token' } } });
    },
    '/api/v1/namespaces/shop/pods',
    { ...pod, spec },
  );
  expect(handle).toMatchObject({ serviceAccountName });
  expect(handle.nodeName).toBe(nodeName);
  expect(await handle.token()).toBe('token');
  expect(asked).toEqual([`/api/v1/namespaces/shop/serviceaccounts/${serviceAccountName}/token`]);
});
