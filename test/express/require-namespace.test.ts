import { expect, test } from '@jest/globals';
import request from 'supertest';
import { requireNamespace } from '../../src/express/require-namespace.ts';
import { fakeIdentity } from '../../src/testing/fake-identity.ts';
import { guardedApp } from './support/guarded-app.ts';

const web = fakeIdentity('shop/web');

test.each([
  ['the namespace', true, requireNamespace('shop')],
  ['another namespace', false, requireNamespace('billing')],
  ['a list with it', true, requireNamespace(['billing', 'shop'])],
  ['the name of the ServiceAccount', false, requireNamespace('web')],
])('%s: allowed is %j', (_name, allowed, guard) => {
  expect(guard.check(web)).toBe(allowed);
});

test.each([
  ['the namespace', '?ns=shop', 200],
  ['another one', '?ns=billing', 403],
  ['nothing', '', 403],
  ['an empty value', '?ns=', 403],
  ['the namespace and another one', '?ns=shop&ns=billing', 403],
  ['the namespace twice', '?ns=shop&ns=shop', 403],
])('a function of the request that finds %s', async (_name, query, status) => {
  const app = guardedApp([requireNamespace((req) => req.query['ns'] as string)], { identity: web });

  expect((await request(app).get(`/any${query}`)).status).toBe(status);
});

test('a missing environment variable throws where the guard is made', () => {
  expect(() => requireNamespace(process.env['NO_SUCH_VARIABLE'] as string)).toThrow(/^requireNamespace: .*undefined/);
  expect(() => requireNamespace()).toThrow('requireNamespace: expected at least one namespace, got none');
  expect(() => requireNamespace([])).toThrow('requireNamespace: expected at least one namespace, got none');
});

test('its description says what it asks', () => {
  expect(requireNamespace('shop', 'billing').description).toBe('namespace shop or billing');
  expect(requireNamespace(() => 'shop').description).toBe('namespace named by the request');
});
