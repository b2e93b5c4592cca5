import { expect, test } from '@jest/globals';
import express from 'express';
import request from 'supertest';
import { k8sServiceAccountAuth, serviceAccountOf } from '../../src/index.ts';
import { fakeAuthenticator, fakeIdentity } from '../../src/testing/index.ts';
import { thrown } from '../support/caught.ts';

const web = fakeIdentity('shop/web');

test('the identity of a request is the very one that the middleware put there', () => {
  expect(serviceAccountOf({ serviceAccount: web })).toBe(web);
});

test.each([{}, { serviceAccount: undefined }])('a request without one (%j) throws no_credentials', (req) => {
  expect(thrown(() => serviceAccountOf(req))).toMatchObject({
    code: 'no_credentials',
    status: 401,
    headers: { 'WWW-Authenticate': 'Bearer realm="kubernetes"' },
  });
});

test("thrown in a handler it is a 401 with the middleware's realm", async () => {
  const app = express().set('env', 'test');
  app.use(k8sServiceAccountAuth({ authenticator: fakeAuthenticator({}), mode: 'optional', realm: 'orders' }));
  app.get('/', (req, res) => {
    res.send(serviceAccountOf(req).name);
  });

  const { status, headers } = await request(app).get('/');

  expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer realm="orders"']);
});
