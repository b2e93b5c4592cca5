import { afterEach, expect, jest, test } from '@jest/globals';
import { fakeIdentity } from '../../src/testing/fake-identity.ts';

afterEach(() => {
  jest.useRealTimers();
});

test('a ServiceAccount alone has its names, its groups and no bound object', () => {
  const identity = fakeIdentity('shop/web');

  expect(identity).toMatchObject({
    username: 'system:serviceaccount:shop:web',
    namespace: 'shop',
    name: 'web',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
    audiences: ['fake-audience'],
    boundTo: undefined,
    extra: {},
  });
  expect(identity).not.toHaveProperty('pod');
  expect(identity).not.toHaveProperty('node');
  expect(identity.uid).toMatch(/./);
});

test('a Pod binds the token, and brings its Node along', () => {
  const { pod, node, boundTo } = fakeIdentity('shop/web', { pod: 'web-1', node: 'node-a' });

  expect(pod).toEqual({ name: 'web-1', uid: expect.any(String) });
  expect(boundTo).toEqual({ kind: 'Pod', ...pod });
  expect(node).toEqual({ name: 'node-a', uid: expect.any(String) });
});

test('a Node without a Pod binds the token', () => {
  const identity = fakeIdentity('kube-system/agent', { node: 'node-a' });

  expect(identity.boundTo).toEqual({ kind: 'Node', ...identity.node });
  expect(identity).not.toHaveProperty('pod');
});

test('audiences replace the fake one, groups come on top', () => {
  const { audiences, groups } = fakeIdentity('shop/web', { audiences: ['orders', 'billing'], groups: ['payers'] });

  expect(audiences).toEqual(['orders', 'billing']);
  expect(groups).toEqual(['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated', 'payers']);
});

test('equal calls make equal identities, whenever they are made', () => {
  jest.useFakeTimers();
  const first = fakeIdentity('shop/web', { pod: 'web-1' });
  jest.advanceTimersByTime(1_234);

  expect(fakeIdentity('shop/web', { pod: 'web-1' })).toEqual(first);
});

test('its times are those of a token in use', () => {
  const { issuedAt = 0, expiresAt = 0, reviewedAt } = fakeIdentity('shop/web');

  expect(issuedAt).toBeLessThanOrEqual(Date.now());
  expect(reviewedAt).toBeGreaterThanOrEqual(issuedAt);
  expect(reviewedAt).toBeLessThanOrEqual(Date.now());
  expect(expiresAt).toBeGreaterThan(Date.now());
});

test('different objects have different uids, whatever their names', () => {
  const uids = [
    fakeIdentity('shop/web').uid,
    fakeIdentity('a-b/c').uid,
    fakeIdentity('a/b-c').uid,
    fakeIdentity('shop/x', { pod: 'web' }).pod?.uid,
    fakeIdentity('shop/x', { node: 'web' }).node?.uid,
    fakeIdentity('node/x', { pod: 'web' }).pod?.uid,
    fakeIdentity('billing/x', { pod: 'web' }).pod?.uid,
  ];

  expect(new Set(uids).size).toBe(uids.length);
});

test('it is frozen to its depths, as a real one', () => {
  const identity = fakeIdentity('shop/web', {
    pod: 'web-1',
    node: 'node-a',
    groups: ['payers'],
    audiences: ['orders'],
  });
  const nodeBound = fakeIdentity('shop/web', { node: 'node-a' });
  const thawed = (value: unknown, path: string): string[] => {
    if (typeof value !== 'object' || value === null) return [];
    const inner = Object.entries(value).flatMap(([key, one]) => thawed(one, `${path}.${key}`));
    return Object.isFrozen(value) ? inner : [path, ...inner];
  };

  expect([...thawed(identity, 'pod'), ...thawed(nodeBound, 'node')]).toEqual([]);
});

test("the caller's own lists stay theirs", () => {
  const audiences = ['orders'];
  const identity = fakeIdentity('shop/web', { audiences });
  audiences.push('billing');

  expect(identity.audiences).toEqual(['orders']);
});

test.each(['web', '', '/', 'shop/', '/web', 'shop/web/1', 'system:serviceaccount:shop:web'])(
  '"%s" is not of the form namespace/name, and throws',
  (serviceAccount) => {
    expect(() => fakeIdentity(serviceAccount)).toThrow(
      new TypeError(`fakeIdentity: "${serviceAccount}" is not of the form "namespace/name"`),
    );
  },
);
