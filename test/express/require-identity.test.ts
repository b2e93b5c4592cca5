import { describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { requireIdentity } from '../../src/express/require-identity.ts';
import { fakeIdentity } from '../../src/testing/fake-identity.ts';
import { guardedApp } from './support/guarded-app.ts';

const web = fakeIdentity('shop/web');
const isCanary = (): boolean => true;

test('the predicate gets the identity and the request', async () => {
  const guard = requireIdentity(({ name }, req) => name === req.params['value']);

  expect((await request(guardedApp([guard], { identity: web })).get('/web')).status).toBe(200);
  expect((await request(guardedApp([guard], { identity: web })).get('/api')).status).toBe(403);
});

test('a predicate that does not look at the request can be checked without one', () => {
  expect(requireIdentity(({ name }) => name === 'web').check(web)).toBe(true);
  expect(requireIdentity(({ name }) => name === 'api').check(web)).toBe(false);
});

test.each([undefined, null, true, 'shop/web', {}, { check: () => true }])(
  '%j is no predicate, and throws where the guard is made',
  (predicate) => {
    expect(() => requireIdentity(predicate as never)).toThrow(
      new TypeError('requireIdentity: expected a function of the identity'),
    );
  },
);

describe('the description', () => {
  test('is the one it was given', () => {
    expect(requireIdentity(() => true, 'a canary').description).toBe('a canary');
  });

  test("else the predicate's own name", () => {
    expect(requireIdentity(isCanary).description).toBe('isCanary');
  });

  test('else says that there is a condition', () => {
    expect(requireIdentity(() => true).description).toBe('a condition on the identity');
  });
});
