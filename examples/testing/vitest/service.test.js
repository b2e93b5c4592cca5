import { afterEach, beforeEach, describe, test } from 'vitest';
import assert from 'node:assert/strict';
import { k8sServiceAccountAuth } from 'k8s-service-account-auth';
import { fakeAuthenticator, fakeIdentity, startSimulatedCluster } from 'k8s-service-account-auth/testing';
import request from 'supertest';
import { ordersService } from '../service.js';

const getOrder = (app, token) => request(app).get('/orders/7').auth(token, { type: 'bearer' });

describe('with a fake authenticator', () => {
  const authenticator = fakeAuthenticator({
    'token-of-web': fakeIdentity('shop/web', { pod: 'web-1' }),
    'token-of-report': fakeIdentity('billing/report', { pod: 'report-1' }),
    'token-in-an-outage': 'api_server_unreachable',
  });
  const app = ordersService(k8sServiceAccountAuth({ authenticator }));

  test('a Pod of the shop gets its order', async () => {
    await getOrder(app, 'token-of-web').expect(200, { id: '7', caller: 'web', pod: 'web-1' });
  });

  test('a Pod of another namespace is refused', async () => {
    await getOrder(app, 'token-of-report')
      .expect(403)
      .expect('WWW-Authenticate', /insufficient_scope/);
  });

  test('a bad token, and none at all, are unauthenticated', async () => {
    await getOrder(app, 'any-other-token')
      .expect(401)
      .expect('WWW-Authenticate', /invalid_token/);
    await request(app).get('/orders/7').expect(401).expect('WWW-Authenticate', 'Bearer realm="kubernetes"');
  });

  test('an outage of the API server is not the fault of the caller', async () => {
    await getOrder(app, 'token-in-an-outage').expect(503).expect('Retry-After', /^\d+$/);
  });
});

describe('with a simulated cluster', () => {
  let cluster;
  let authentication;
  let app;
  let pod;
  let token;

  beforeEach(async () => {
    cluster = await startSimulatedCluster();
    const { kubeConfig, clock } = cluster;
    authentication = k8sServiceAccountAuth({ kubeConfig, clock, audiences: 'orders', log: false });
    app = ordersService(authentication);
    pod = await cluster.createPod('shop/web-1', { serviceAccount: 'web' });
    token = await pod.token({ audiences: 'orders' });
  });

  afterEach(async () => {
    await authentication.authenticator.close();
    await cluster.close();
  });

  test('a Pod of the shop gets its orders, at the price of one review', async () => {
    await getOrder(app, token).expect(200, { id: '7', caller: 'web', pod: 'web-1' });
    await getOrder(app, token).expect(200);
    assert.equal(cluster.requests.tokenreviews, 1);
  });

  test('a token that is not for this service is refused', async () => {
    await getOrder(app, await pod.token()).expect(401);
  });

  test('a deleted Pod is refused a minute later', async () => {
    await getOrder(app, token).expect(200);
    await pod.delete();
    cluster.clock.advance(60_000);
    await getOrder(app, token).expect(401);
  });

  test('while the API server is down, known callers are served and new ones are told to retry', async () => {
    await getOrder(app, token).expect(200);
    const newToken = await pod.token({ audiences: 'orders' });
    const outage = cluster.fault('*', { reset: 'before' });
    await getOrder(app, token).expect(200);
    await getOrder(app, newToken).expect(503).expect('Retry-After', /^\d+$/);
    outage[Symbol.dispose]();
    await getOrder(app, newToken).expect(200);
  });

  test('an expired token is refused, and its successor accepted', async () => {
    await getOrder(app, token).expect(200);
    cluster.clock.advance(3_700_000);
    await getOrder(app, token).expect(401);
    await getOrder(app, await pod.token({ audiences: 'orders' })).expect(200);
  });

  test('without the right to create TokenReviews the service answers 503', async () => {
    const orders = await cluster.createServiceAccount('shop/orders');
    const kubeConfig = cluster.kubeConfigOf(await orders.token());
    const powerless = k8sServiceAccountAuth({ kubeConfig, clock: cluster.clock, audiences: 'orders', log: false });
    await getOrder(ordersService(powerless), token).expect(503);
    await cluster.allow('shop/orders', { verb: 'create', group: 'authentication.k8s.io', resource: 'tokenreviews' });
    await getOrder(ordersService(powerless), token).expect(200);
    await powerless.authenticator.close();
  });
});
