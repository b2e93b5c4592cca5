import { expect, test } from '@jest/globals';
import request from 'supertest';
import { requireServiceAccount } from '../../src/express/require-service-account.ts';
import { fakeIdentity } from '../../src/testing/fake-identity.ts';
import { guardedApp } from './support/guarded-app.ts';

const web = fakeIdentity('shop/web');

test.each([
  ['the ServiceAccount', true, requireServiceAccount('shop/web')],
  ['its namesake elsewhere', false, requireServiceAccount('billing/web')],
  ['its neighbour', false, requireServiceAccount('shop/api')],
  ['a list with it', true, requireServiceAccount(['shop/api', 'shop/web'])],
  ['several with it', true, requireServiceAccount('shop/api', 'shop/web')],
])('%s: allowed is %j', (_name, allowed, guard) => {
  expect(guard.check(web)).toBe(allowed);
});

test('a function of the request names the one that may', async () => {
  const app = guardedApp([requireServiceAccount((req) => `shop/${String(req.params['value'])}`)], { identity: web });

  expect((await request(app).get('/web')).status).toBe(200);
  expect((await request(app).get('/api')).status).toBe(403);
});

test.each(['web', 'shop:web', 'system:serviceaccount:shop:web', 'shop/', '/web', 'shop/web/1', '/', 'a:b/web'])(
  '"%s" throws where the guard is made: it could never match',
  (value) => {
    expect(() => requireServiceAccount(value)).toThrow(
      new TypeError(`requireServiceAccount: ${JSON.stringify(value)} is not of the form "namespace/name"`),
    );
    expect(() => requireServiceAccount(['shop/web', value])).toThrow(TypeError);
  },
);

test('a missing environment variable throws where the guard is made', () => {
  expect(() => requireServiceAccount(process.env['NO_SUCH_VARIABLE'] as string)).toThrow(/^requireServiceAccount: /);
  expect(() => requireServiceAccount()).toThrow('expected at least one ServiceAccount, got none');
});

test('its description says what it asks', () => {
  expect(requireServiceAccount('shop/web').description).toBe('ServiceAccount shop/web');
});
