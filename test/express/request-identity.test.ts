import { describe, expect, jest, test } from '@jest/globals';
import express from 'express';
import request from 'supertest';
import {
  type Authenticator,
  createAuthenticator,
  k8sServiceAccountAuth,
  type Mode,
  type ServiceAccountIdentity,
} from '../../src/index.ts';
import { fakeAuthenticator, fakeIdentity } from '../../src/testing/index.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { podToken } from '../support/tokens.ts';
import { identityApp } from './support/identity-app.ts';
import { vouch } from './support/vouch.ts';

const web = fakeIdentity('shop/web', { pod: 'web-1' });
const webName = 'system:serviceaccount:shop:web';
const callers = {
  good: web,
  refused: 'token_refused',
  'bad-audience': 'wrong_audience',
  unclear: 'api_server_timeout',
} as const;

describe('the identity on the request', () => {
  const clock = new FakeClock();
  const token = podToken(clock);
  const make = (): Authenticator => createAuthenticator({ audiences: 'orders', reviewer: vouch, clock, log: false });

  test('a cached hit calls next before the middleware returns', async () => {
    await using authenticator = make();
    const middleware = k8sServiceAccountAuth({ authenticator });
    const wasSynchronous: boolean[] = [];
    const app = express().set('env', 'test');
    app.use((req, res, next) => {
      let called = false;
      middleware(req, res, (error) => {
        called = true;
        next(error);
      });
      wasSynchronous.push(called);
    });
    app.use((req, res) => {
      res.json({ caller: req.serviceAccount?.username });
    });

    const bodies = [];
    for (let count = 0; count < 2; count++) {
      bodies.push((await request(app).get('/').set('Authorization', `Bearer ${token}`)).body);
    }

    expect(bodies).toEqual([{ caller: webName }, { caller: webName }]);
    expect(wasSynchronous).toEqual([false, true]);
  });

  test('one authenticator shared by two apps is one cache: one review serves both', async () => {
    const reviewer = jest.fn(vouch);
    await using authenticator = createAuthenticator({ audiences: 'orders', reviewer, clock, log: false });
    const apps = [identityApp({ authenticator }), identityApp({ authenticator, realm: 'admin' })];

    for (const app of apps) {
      expect((await request(app).get('/').set('Authorization', `Bearer ${token}`)).body).toEqual({ caller: webName });
    }

    expect(reviewer).toHaveBeenCalledTimes(1);
    expect(authenticator.status().cachedIdentities).toBe(1);
  });

  test('two middlewares for different audiences each judge for themselves', async () => {
    await using orders = make();
    await using billing = createAuthenticator({ audiences: 'billing', reviewer: vouch, clock, log: false });
    const app = express()
      .set('env', 'test')
      .use(k8sServiceAccountAuth({ authenticator: orders, realm: 'orders' }));
    const seen: (string | undefined)[] = [];
    app.use((req, _res, next) => {
      seen.push(req.serviceAccount?.username);
      next();
    });
    app.use(k8sServiceAccountAuth({ authenticator: billing, realm: 'billing' }));

    const { status, headers } = await request(app).get('/').set('Authorization', `Bearer ${token}`);

    expect(seen).toEqual([webName]);
    expect(status).toBe(401);
    expect(headers['www-authenticate']).toContain('realm="billing", error="invalid_token"');
  });

  test.each<[Mode, string]>([
    ['enforce', 'refused'],
    ['enforce', 'unclear'],
    ['enforce', ''],
    ['optional', 'refused'],
    ['optional', ''],
    ['report', 'refused'],
    ['report', 'unclear'],
    ['report', ''],
  ])('never survives a second middleware in %s mode that says otherwise to "%s"', async (mode, second) => {
    const authenticator = fakeAuthenticator(callers);
    const app = express()
      .set('env', 'test')
      .use(k8sServiceAccountAuth({ authenticator, getToken: () => 'good' }));
    app.use(k8sServiceAccountAuth({ authenticator, mode, getToken: () => second || undefined }));
    const seen: unknown[] = [];
    app.use((req, _res, next) => {
      seen.push(req.serviceAccount);
      next();
    });
    app.use(((_error: unknown, req, res, _next) => {
      seen.push(req.serviceAccount);
      res.end();
    }) as express.ErrorRequestHandler);

    await request(app).get('/');

    expect(seen).toEqual([undefined]);
  });

  test('is not there yet while the review runs', async () => {
    const seen: unknown[] = [];
    const app = express().set('env', 'test');
    app.use((req, _res, next) => {
      req.serviceAccount = web;
      next();
    });
    app.use((req, res, next) => {
      const authenticator = {
        authenticate: async (): Promise<ServiceAccountIdentity> => {
          seen.push(req.serviceAccount);
          return web;
        },
      };
      k8sServiceAccountAuth({ authenticator })(req, res, next);
    });
    app.use((_req, res) => {
      res.end();
    });

    expect((await request(app).get('/').set('Authorization', 'Bearer any')).status).toBe(200);
    expect(seen).toEqual([undefined]);
  });
});
