import { describe, expect, jest, test } from '@jest/globals';
import express from 'express';
import request from 'supertest';
import {
  allOf,
  anyOf,
  type Guard,
  k8sServiceAccountAuth,
  requireBoundPod,
  requireGroup,
  requireIdentity,
  requireNamespace,
  requireNode,
  requirePermission,
  requireServiceAccount,
  type ServiceAccountIdentity,
} from '../../src/index.ts';
import { fakeAuthenticator, fakeIdentity } from '../../src/testing/index.ts';
import { settled } from '../support/settled.ts';
import { answerWithError, guardedApp } from './support/guarded-app.ts';
import { recordedEvents } from './support/recorded-events.ts';

const web = fakeIdentity('shop/web', { pod: 'web-1', node: 'node-a' });
const insufficientScope =
  'Bearer realm="orders", error="insufficient_scope", error_description="The calling ServiceAccount may not do this"';
const yes = requireIdentity(() => true, 'yes');
const no = requireIdentity(() => false, 'no');

const everyGuard: readonly (readonly [name: string, guard: Guard])[] = [
  ['requireServiceAccount', requireServiceAccount('shop/web')],
  ['requireNamespace', requireNamespace('shop')],
  ['requireBoundPod', requireBoundPod()],
  ['requireNode', requireNode('node-a')],
  ['requireGroup', requireGroup('system:serviceaccounts')],
  ['requireIdentity', yes],
  ['anyOf', anyOf(yes)],
  ['allOf', allOf(yes)],
];

describe.each(everyGuard)('%s', (_name, guard) => {
  test('lets the right identity through, with no event', async () => {
    const emit = jest.fn();

    const { status, text } = await request(guardedApp([guard], { identity: web, emit })).get('/any');

    expect([status, text]).toEqual([200, 'allowed']);
    expect(emit).not.toHaveBeenCalled();
  });

  test('calls next before it returns', () => {
    const req = {};
    k8sServiceAccountAuth({
      authenticator: { cached: () => web, authenticate: async () => web },
      getToken: () => 'token',
    })(req as never, {} as never, () => {});
    const next = jest.fn();
    guard(req as never, {} as never, next);

    expect(next.mock.calls).toEqual([[]]);
  });

  test('without the middleware is a 500 that says what is missing, and no challenge', async () => {
    const app = express()
      .set('env', 'test')
      .get('/', guard, (_req, res) => {
        res.send('allowed');
      });
    app.use(answerWithError);

    const { status, body, headers } = await request(app).get('/').set('Authorization', 'Bearer token');

    expect(status).toBe(500);
    expect(body).toEqual({
      name: 'ServiceAccountAuthError',
      code: 'middleware_missing',
      message: 'A guard ran before k8sServiceAccountAuth(): app.use() the middleware first',
    });
    expect(headers).not.toHaveProperty('www-authenticate');
  });

  test('an identity put on the request by others does not replace the middleware', async () => {
    const app = express().set('env', 'test');
    app.use((req, _res, next) => {
      req.serviceAccount = web;
      next();
    });
    app.get('/', guard, (_req, res) => {
      res.send('allowed');
    });

    expect((await request(app).get('/')).status).toBe(500);
  });

  test("an anonymous caller in optional mode gets 401 with a bare challenge in the middleware's realm", async () => {
    const { status, headers, body } = await request(guardedApp([guard], { mode: 'optional' })).get('/any');

    expect(status).toBe(401);
    expect(headers['www-authenticate']).toBe('Bearer realm="orders"');
    expect(body).toMatchObject({ code: 'no_credentials' });
  });

  test('an anonymous caller in report mode passes', async () => {
    expect((await request(guardedApp([guard], { mode: 'report' })).get('/any')).status).toBe(200);
  });
});

describe('a refusal', () => {
  test.each(['enforce', 'optional'] as const)('is 403 with insufficient_scope in %s mode', async (mode) => {
    const emit = jest.fn();
    const { status, headers, body } = await request(guardedApp([no], { identity: web, mode, emit })).get('/any');

    expect(status).toBe(403);
    expect(headers['www-authenticate']).toBe(insufficientScope);
    expect(body).toEqual({
      name: 'ServiceAccountAuthError',
      code: 'guard_refused',
      message: 'The calling ServiceAccount may not do this',
    });
    expect(emit.mock.calls).toEqual([['refused', { guard: 'no', identity: web }]]);
  });

  test('ends the route: no guard after it is asked', async () => {
    const after = jest.fn(() => true);

    expect((await request(guardedApp([no, requireIdentity(after)], { identity: web })).get('/any')).status).toBe(403);
    expect(after).not.toHaveBeenCalled();
  });

  test('in report mode passes, and each guard that would have refused tells so once', async () => {
    const authenticator = fakeAuthenticator({ good: web });
    const events = recordedEvents(authenticator);
    const app = express()
      .set('env', 'test')
      .use(k8sServiceAccountAuth({ authenticator, mode: 'report' }));
    app.get('/', yes, no, requireNamespace('billing'), allOf(yes, no), anyOf(no, no), (req, res) => {
      res.send(req.serviceAccount?.name);
    });

    const { status, text } = await request(app).get('/').set('Authorization', 'Bearer good');

    expect([status, text]).toEqual([200, 'web']);
    expect(events).toEqual(
      ['no', 'namespace billing', 'all of (yes, no)', 'any of (no, no)'].map((guard) => ({
        event: 'refused',
        payload: { guard, identity: web },
      })),
    );
  });

  test('in report mode a failure of the middleware is told once, however many guards come after', async () => {
    const authenticator = fakeAuthenticator({});
    const events = recordedEvents(authenticator);
    const app = express()
      .set('env', 'test')
      .use(k8sServiceAccountAuth({ authenticator, mode: 'report' }));
    app.get('/', yes, no, requireBoundPod(), (_req, res) => {
      res.end();
    });

    expect((await request(app).get('/')).status).toBe(200);
    expect((await request(app).get('/').set('Authorization', 'Bearer bad')).status).toBe(200);

    expect(events.map(({ payload }) => (payload as { code: string }).code)).toEqual([
      'no_credentials',
      'token_refused',
    ]);
  });

  test('follows the middleware that ran last: an inner realm and mode count behind it', async () => {
    const authenticator = { authenticate: async (): Promise<ServiceAccountIdentity> => web };
    const inner = express.Router().use(k8sServiceAccountAuth({ authenticator, realm: 'inner' }));
    inner.get('/', no, (_req, res) => {
      res.end();
    });
    const app = express()
      .set('env', 'test')
      .use(k8sServiceAccountAuth({ authenticator, mode: 'report' }), inner);

    const { status, headers } = await request(app).get('/').set('Authorization', 'Bearer good');

    expect(status).toBe(403);
    expect(headers['www-authenticate']).toContain('realm="inner"');
  });
});

const guardOn = (predicate: () => unknown): Guard => requireIdentity(predicate as () => boolean, 'odd');
const statusOf = async (guard: Guard): Promise<number> =>
  (await request(guardedApp([guard], { identity: web })).get('/any')).status;

describe('a check', () => {
  test.each<[string, () => unknown]>([
    ['1', () => 1],
    ['a text', () => 'true'],
    ['an object', () => ({})],
    ['a list', () => [true]],
    ['a function', () => () => true],
    ['a Boolean object', () => Object(true)],
    ['null', () => null],
    ['undefined', () => undefined],
    ['0', () => 0],
    ['a promise of 1', async () => 1],
    ['a promise of nothing', async () => undefined],
    ['a promise of false', async () => false],
  ])('that answers %s refuses, alone and combined', async (_name, predicate) => {
    expect(await statusOf(guardOn(predicate))).toBe(403);
    expect(await statusOf(anyOf(guardOn(predicate), no))).toBe(403);
    expect(await statusOf(allOf(yes, guardOn(predicate)))).toBe(403);
  });

  test.each<[string, () => unknown]>([
    ['true', () => true],
    ['a promise of true', async () => true],
    // oxlint-disable-next-line unicorn/no-thenable
    ['true by a promise of another make', () => ({ then: (resolve: (value: boolean) => void) => resolve(true) })],
  ])('that answers %s allows, alone and combined', async (_name, predicate) => {
    expect(await statusOf(guardOn(predicate))).toBe(200);
    expect(await statusOf(anyOf(no, guardOn(predicate)))).toBe(200);
    expect(await statusOf(allOf(guardOn(predicate), yes))).toBe(200);
  });

  test.each<[string, unknown]>([
    ['an Error', new Error('top secret')],
    ['undefined', undefined],
    ['null', null],
    ['false', false],
    ['an empty text', ''],
    ['a text', 'top secret'],
    ["Express' signal 'route'", 'route'],
    ["Express' signal 'router'", 'router'],
  ])(
    'that throws, or rejects with, %s is a 500 that tells the caller nothing, in production',
    async (_name, reason) => {
      const throwing = guardOn(() => {
        throw reason;
      });
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors
      const rejecting = guardOn(() => Promise.reject(reason));
      const stderr = jest.spyOn(console, 'error').mockImplementation(() => {});
      for (const guard of [throwing, rejecting, anyOf(rejecting, yes), allOf(throwing)]) {
        const app = express().set('env', 'production');
        app.use(k8sServiceAccountAuth({ authenticator: { authenticate: async () => web } }));
        app.get('/', guard, (_req, res) => {
          res.send('allowed');
        });
        app.get('/', (_req, res) => {
          res.send('the next route');
        });

        const { status, text } = await request(app).get('/').set('Authorization', 'Bearer good');

        expect(status).toBe(500);
        expect(text).toContain('<pre>Internal Server Error</pre>');
      }
      stderr.mockRestore();
    },
  );

  test('that throws a text does not have it in the error: it may be a token', async () => {
    const guard = guardOn(() => {
      // oxlint-disable-next-line typescript/only-throw-error
      throw 'top-secret';
    });

    const { body } = await request(guardedApp([guard], { identity: web })).get('/any');

    expect(body).toEqual({ name: 'TypeError', message: 'Something was thrown that is no Error: string' });
  });

  test('that takes its time holds the route until then', async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const next = jest.fn();
    const req = {};
    const authenticator = { cached: () => web, authenticate: async (): Promise<ServiceAccountIdentity> => web };
    k8sServiceAccountAuth({ authenticator, getToken: () => 'token' })(req as never, {} as never, () => {});
    requireIdentity(() => promise)(req as never, {} as never, next);
    await settled();
    expect(next).not.toHaveBeenCalled();

    resolve(true);
    await settled();
    expect(next.mock.calls).toEqual([[]]);
  });

  test('that refuses at once calls next before the guard returns', () => {
    const req = {};
    const authenticator = { cached: () => web, authenticate: async (): Promise<ServiceAccountIdentity> => web };
    k8sServiceAccountAuth({ authenticator, getToken: () => 'token' })(req as never, {} as never, () => {});
    const next = jest.fn();
    no(req as never, {} as never, next);

    expect(next.mock.calls).toEqual([[expect.objectContaining({ code: 'guard_refused' })]]);
  });

  test('failure further down the route is not taken for its own', () => {
    const req = {};
    const authenticator = { cached: () => web, authenticate: async (): Promise<ServiceAccountIdentity> => web };
    k8sServiceAccountAuth({ authenticator, getToken: () => 'token' })(req as never, {} as never, () => {});
    const next = jest.fn(() => {
      throw new Error('The handler is broken');
    });

    expect(() => yes(req as never, {} as never, next)).toThrow('The handler is broken');
    expect(next).toHaveBeenCalledTimes(1);
  });
});

test("guards understand the middleware of another copy of the package, in another's dependencies", async () => {
  jest.resetModules();
  const copy = await import('../../src/index.ts');
  expect(copy.k8sServiceAccountAuth).not.toBe(k8sServiceAccountAuth);
  const app = express().set('env', 'test');
  app.use(copy.k8sServiceAccountAuth({ authenticator: { authenticate: async () => web }, realm: 'orders' }));
  app.get(
    '/:value',
    requireNode((req) => req.params['value']),
    (_req, res) => {
      res.end();
    },
  );
  const get = (path: string): request.Test => request(app).get(path).set('Authorization', 'Bearer good');

  expect((await get('/node-a')).status).toBe(200);
  const refused = await get('/node-b');
  expect([refused.status, refused.headers['www-authenticate']]).toEqual([403, insufficientScope]);
});

test('in report mode nothing is refused, though the authenticator or the middleware is of another copy', async () => {
  jest.resetModules();
  const copy = await import('../../src/index.ts');
  const outage = async (): Promise<never> => {
    throw new copy.ServiceAccountAuthError('api_server_timeout');
  };
  const app = express().set('env', 'test');
  app.use('/down', k8sServiceAccountAuth({ authenticator: { authenticate: outage }, mode: 'report' }));
  const authenticator = { authenticate: async () => web, allowed: outage };
  app.use('/up', copy.k8sServiceAccountAuth({ authenticator, mode: 'report' }));
  app.use('/up', requirePermission({ verb: 'get', path: '/' }));
  app.use((_req, res) => {
    res.send('passed');
  });

  for (const path of ['/down', '/up']) {
    const { text } = await request(app).get(path).set('Authorization', 'Bearer good');
    expect([path, text]).toEqual([path, 'passed']);
  }
});

describe('a maker of guards passed uncalled as middleware', () => {
  test.each<[string, unknown]>([
    ['requireServiceAccount', requireServiceAccount],
    ['requireNamespace', requireNamespace],
    ['requireBoundPod', requireBoundPod],
    ['requireNode', requireNode],
    ['requireGroup', requireGroup],
    ['requireIdentity', requireIdentity],
    ['anyOf', anyOf],
    ['allOf', allOf],
  ])('%s fails the request at once, by its name and with nothing of the request', async (name, maker) => {
    const app = express().set('env', 'test');
    app.use(k8sServiceAccountAuth({ authenticator: { authenticate: async () => web } }));
    app.get('/secret-path', maker as never, (_req: unknown, res: express.Response) => {
      res.send('allowed');
    });
    app.use(answerWithError);

    const { status, body } = await request(app).get('/secret-path?q=secret').set('Authorization', 'Bearer secret');

    expect(status).toBe(500);
    expect(body).toEqual({ name: 'TypeError', message: expect.stringMatching(new RegExp(`^${name}\\b`)) });
    expect(JSON.stringify(body)).not.toContain('secret');
  });
});
