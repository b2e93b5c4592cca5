import { expect, test } from '@jest/globals';
import request from 'supertest';
import { requireGroup } from '../../src/express/require-group.ts';
import { fakeIdentity } from '../../src/testing/fake-identity.ts';
import { guardedApp } from './support/guarded-app.ts';

const web = fakeIdentity('shop/web');

test.each([
  ['one of its groups', true, requireGroup('system:serviceaccounts:shop')],
  ['any of its groups, the last one too', true, requireGroup('system:authenticated')],
  ['a group of another namespace', false, requireGroup('system:serviceaccounts:billing')],
  ['several with one of its groups', true, requireGroup('system:masters', 'system:serviceaccounts')],
  ['the beginning of a group', false, requireGroup('system:')],
])('%s: allowed is %j', (_name, allowed, guard) => {
  expect(guard.check(web)).toBe(allowed);
});

test('a function of the request names the group', async () => {
  const app = guardedApp([requireGroup((req) => `system:serviceaccounts:${String(req.params['value'])}`)], {
    identity: web,
  });

  expect((await request(app).get('/shop')).status).toBe(200);
  expect((await request(app).get('/billing')).status).toBe(403);
});

test('no value, or a missing one, throws where the guard is made', () => {
  expect(() => requireGroup()).toThrow('requireGroup: expected at least one group, got none');
  expect(() => requireGroup('a', process.env['NO_SUCH_VARIABLE'] as string)).toThrow(/^requireGroup: .*undefined/);
});

test('its description says what it asks', () => {
  expect(requireGroup('system:authenticated').description).toBe('group system:authenticated');
});
