import { expect, test } from '@jest/globals';
import type { ServiceAccountIdentity } from '../../src/authentication/service-account-identity.ts';
import { requireBoundPod } from '../../src/express/require-bound-pod.ts';
import { fakeIdentity } from '../../src/testing/fake-identity.ts';

const secretBound: ServiceAccountIdentity = {
  ...fakeIdentity('shop/web'),
  boundTo: { kind: 'Secret', name: 'web-token' },
};

test.each<[string, boolean, ServiceAccountIdentity]>([
  ['a Pod-bound token', true, fakeIdentity('shop/web', { pod: 'web-1' })],
  ['a Node-bound token', false, fakeIdentity('shop/web', { node: 'node-a' })],
  ['a Secret-bound token', false, secretBound],
  ['a token bound to its ServiceAccount alone', false, fakeIdentity('shop/web')],
])('%s: allowed is %j', (_name, allowed, identity) => {
  expect(requireBoundPod().check(identity)).toBe(allowed);
});

test.each([['web-1'], [undefined], [{ pod: 'web-1' }]])('given %j it throws where it is made', (argument) => {
  expect(() => (requireBoundPod as (argument: unknown) => unknown)(argument)).toThrow(
    new TypeError('requireBoundPod takes no arguments: use requireBoundPod() on the route'),
  );
});

test('its description says what it asks', () => {
  expect(requireBoundPod().description).toBe('a Pod-bound token');
});
