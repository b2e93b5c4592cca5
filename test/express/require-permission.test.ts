import { describe, expect, jest, test } from '@jest/globals';
import express, { type Express, type Request } from 'express';
import request from 'supertest';
import {
  type AccessAttributes,
  allOf,
  anyOf,
  type ComputedAttributes,
  type Guard,
  k8sServiceAccountAuth,
  type Mode,
  requestPath,
  requireNamespace,
  requirePermission,
  ServiceAccountAuthError,
  type ServiceAccountIdentity,
} from '../../src/index.ts';
import { fakeAuthenticator, fakeIdentity } from '../../src/testing/index.ts';
import { answerWithError } from './support/guarded-app.ts';
import { listening } from './support/listening.ts';
import { rawRequest, statusesOf } from './support/raw-request.ts';
import { recordedEvents } from './support/recorded-events.ts';

const web = fakeIdentity('shop/web', { pod: 'web-1' });
const orders = { verb: 'get', group: 'orders.example.com', resource: 'orders', namespace: 'shop' };

interface Ground {
  readonly app: Express;
  readonly asked: { identity: ServiceAccountIdentity; attributes: AccessAttributes }[];
  readonly events: unknown[];
}

/** `GET /:name` behind the guards, with RBAC that says `allowed`. */
function ground(
  guards: readonly Guard[],
  { allowed = () => true, mode = 'enforce' }: { allowed?: (attributes: AccessAttributes) => boolean; mode?: Mode } = {},
): Ground {
  const asked: Ground['asked'] = [];
  const authenticator = fakeAuthenticator(
    { good: web },
    {
      allowed: (identity, attributes) => {
        asked.push({ identity, attributes });
        return allowed(attributes);
      },
    },
  );
  const events = recordedEvents(authenticator);
  const app = express().set('env', 'test');
  app.use(k8sServiceAccountAuth({ authenticator, mode, realm: 'orders' }));
  app.get(['/', '/:name'], ...(guards as never[]), ((_req: Request, res: express.Response) => {
    res.send('allowed');
  }) as never);
  app.use(answerWithError);
  return { app, asked, events };
}

const get = (app: Express, path = '/order-1'): request.Test =>
  request(app).get(path).set('Authorization', 'Bearer good');
const named = requirePermission((req) => ({ ...orders, name: req.params['name'] }));

describe('fixed attributes', () => {
  test('that RBAC allows let the caller through; RBAC is asked about that caller and them', async () => {
    const { app, asked, events } = ground([requirePermission(orders)]);

    expect((await get(app)).status).toBe(200);
    expect(asked).toEqual([{ identity: web, attributes: orders }]);
    expect(events).toEqual([]);
  });

  test('that RBAC denies are 403 with insufficient_scope', async () => {
    const { app, events } = ground([requirePermission(orders)], { allowed: () => false });
    const { status, headers, body } = await get(app);

    expect(status).toBe(403);
    expect(headers['www-authenticate']).toMatch(/^Bearer realm="orders", error="insufficient_scope"/);
    expect(body).toMatchObject({ code: 'guard_refused' });
    expect(events).toEqual([
      {
        event: 'refused',
        payload: { guard: 'permission to get orders.orders.example.com in namespace shop', identity: web },
      },
    ]);
  });

  test('of several guards are asked one after the other, up to the first denial', async () => {
    const guards = ['get', 'list', 'watch'].map((verb) => requirePermission({ ...orders, verb }));
    const { app, asked } = ground(guards, { allowed: ({ verb }) => verb === 'get' });

    expect((await get(app)).status).toBe(403);
    expect(asked.map(({ attributes }) => attributes.verb)).toEqual(['get', 'list']);
  });

  test('that are wrong throw where the guard is made', () => {
    expect(() => requirePermission({ ...orders, verbs: ['get'] } as never)).toThrow(
      'requirePermission: there is no option "verbs". Did you mean "verb"?',
    );
    expect(() => requirePermission({ ...orders, namespace: process.env['NO_SUCH_VARIABLE'] as string })).toThrow(
      /^requirePermission: .*"namespace" is undefined/,
    );
    expect(() => requirePermission(undefined as never)).toThrow(TypeError);
  });

  test('may be a path', async () => {
    const { app, asked } = ground([requirePermission({ verb: 'get', path: '/reports' })]);

    expect((await get(app)).status).toBe(200);
    expect(asked[0]?.attributes).toEqual({ verb: 'get', path: '/reports' });
  });
});

describe('attributes computed from the request', () => {
  test('are asked about as they are', async () => {
    const { app, asked } = ground([named], {
      allowed: (attributes) => 'name' in attributes && attributes.name === 'order-1',
    });

    expect((await get(app, '/order-1')).status).toBe(200);
    expect((await get(app, '/order-2')).status).toBe(403);
    expect(asked.map(({ attributes }) => attributes)).toEqual([
      { ...orders, name: 'order-1' },
      { ...orders, name: 'order-2' },
    ]);
  });

  const byQuery = requirePermission((req) => ({
    ...orders,
    name: req.query['name'],
    namespace: req.query['namespace'],
  }));
  test.each([
    ['missing', '/?namespace=shop'],
    ['empty', '/?namespace=shop&name='],
    ['said twice', '/?namespace=shop&name=a&name=b'],
    ['a list', '/?namespace=shop&name[]=a'],
    ['said twice and empty', '/?namespace=shop&name=&name='],
    ['in another namespace that is empty', '/?namespace=&name=a'],
    ['in no namespace', '/?name=a'],
  ])('that are %s refuse with 403, and ask nothing', async (_name, path) => {
    const { app, asked } = ground([byQuery]);
    app.set('query parser', 'extended');

    expect((await get(app, path)).status).toBe(403);
    expect(asked).toEqual([]);
  });

  test.each([
    ['with a slash', '/?namespace=shop&name=a%2fb'],
    ['with dots', '/?namespace=shop&name=..'],
    ['with a control character', '/?namespace=shop&name=a%00'],
    ['of 10 kB', `/?namespace=shop&name=${'n'.repeat(10_000)}`],
    ['in a namespace that cannot be', '/?namespace=Shop&name=a'],
  ])('%s are 400, and ask nothing', async (_name, path) => {
    const { app, asked, events } = ground([byQuery]);
    const { status, headers, body } = await get(app, path);

    expect(status).toBe(400);
    expect(headers['www-authenticate']).toMatch(/^Bearer realm="orders", error="invalid_request"/);
    expect(body).toEqual({
      name: 'ServiceAccountAuthError',
      code: 'attributes_malformed',
      message: 'The request names what cannot exist',
    });
    expect(asked).toEqual([]);
    expect(events).toEqual([
      {
        event: 'refused',
        payload: {
          guard: 'a permission named by the request',
          identity: web,
          reason: expect.stringMatching(/^the name(space)? /),
        },
      },
    ]);
  });

  test('that are undefined as a whole refuse', async () => {
    const { app, asked } = ground([requirePermission(() => undefined)]);

    expect((await get(app)).status).toBe(403);
    expect(asked).toEqual([]);
  });

  test.each<[string, () => unknown]>([
    ['lack the verb', () => ({ group: '', resource: 'pods' })],
    ['have an unknown key', () => ({ ...orders, ressource: 'x' })],
    ['are a promise', async () => orders],
    ['are a text', () => 'get'],
  ])("that %s are the author's mistake: 500, in report mode too", async (_name, attributes) => {
    for (const mode of ['enforce', 'report'] as const) {
      const { app } = ground([requirePermission(attributes as () => ComputedAttributes)], { mode });
      expect((await get(app)).status).toBe(500);
    }
  });

  test('that throw are a 500', async () => {
    const { app } = ground([
      requirePermission(() => {
        throw new Error('mistake');
      }),
    ]);
    expect((await get(app)).status).toBe(500);
  });
});

describe('the path of a request', () => {
  const byPath = requirePermission((req) => ({ verb: 'get', path: requestPath(req) }));
  const allowed = (attributes: AccessAttributes): boolean =>
    'path' in attributes && attributes.path.startsWith('/reports/');

  test.each([
    ['/reports/2026', '/reports/2026', 200],
    ['/reports/2026/', '/reports/2026', 200],
    ['/reports/%32026', '/reports/2026', 200],
    ['/reports/', '/reports', 403],
    ['/reports', '/reports', 403],
    ['/reports/2026?path=/x', '/reports/2026', 200],
    ['/reports/..', undefined, 400],
    ['/reports/%2e%2e', undefined, 400],
    ['/reports/a%2fb', undefined, 400],
    ['/reports/a%252fb', undefined, 400],
    ['/reports/a%5cb', undefined, 400],
    ['/reports/a%00', undefined, 400],
    ['/reports//2026', undefined, 400],
    [`/reports/${'a'.repeat(10_000)}`, undefined, 400],
  ])('%s asks about %s, and is %d', async (target, asks, status) => {
    const asked: AccessAttributes[] = [];
    const authenticator = fakeAuthenticator(
      { good: web },
      {
        allowed: (_identity, attributes) => {
          asked.push(attributes);
          return allowed(attributes);
        },
      },
    );
    const app = express().set('env', 'test').use(k8sServiceAccountAuth({ authenticator }));
    const router = express.Router();
    router.use(byPath, (_req, res) => {
      res.end();
    });
    app.use('/reports', router);
    await using server = await listening(app);
    const answer = await rawRequest(
      server.port,
      `GET ${target} HTTP/1.1`,
      'Host: orders',
      'Authorization: Bearer good',
      'Connection: close',
    );

    // Within `use` the rest of the path is Express' `path` too.
    expect(statusesOf(answer)).toEqual([status]);
    expect(asked).toEqual(asks === undefined ? [] : [{ verb: 'get', path: asks }]);
  });
});

describe('where nobody can say', () => {
  const failing = (mode: Mode): Express => {
    const app = express().set('env', 'test');
    const authenticator = {
      authenticate: async () => web,
      allowed: () => Promise.reject(new ServiceAccountAuthError('api_server_timeout', { retryAfterSeconds: 7 })),
    };
    app.use(k8sServiceAccountAuth({ authenticator, mode }));
    app.get('/:name', named, (_req, res) => {
      res.send('allowed');
    });
    return app;
  };

  test('it is 503 with Retry-After', async () => {
    const { status, headers } = await get(failing('enforce'));
    expect([status, headers['retry-after'], headers['www-authenticate']]).toEqual([503, '7', undefined]);
  });

  test('report mode lets it pass', async () => {
    expect((await get(failing('report'))).status).toBe(200);
  });
});

test('report mode lets denied, missing and malformed attributes pass, each told of once', async () => {
  const { app, events } = ground([requirePermission(orders), named], { allowed: () => false, mode: 'report' });

  expect((await get(app, '/order-1')).status).toBe(200);
  expect((await get(app, '/')).status).toBe(200);
  expect((await get(app, '/a%2fb')).status).toBe(200);
  expect(events).toHaveLength(6);
});

test('an authenticator that cannot be asked about rights is a 500 that says so', async () => {
  const app = express().set('env', 'test');
  app.use(k8sServiceAccountAuth({ authenticator: { authenticate: async () => web } }));
  app.get('/:name', named, (_req, res) => {
    res.end();
  });
  app.use(answerWithError);
  const { status, body } = await get(app);

  expect(status).toBe(500);
  expect(body).toMatchObject({
    name: 'TypeError',
    message: 'The authenticator of k8sServiceAccountAuth() has no allowed(), which requirePermission asks',
  });
});

test('it combines with other guards', async () => {
  const { app, asked } = ground([anyOf(requireNamespace('shop'), named), allOf(named, requirePermission(orders))]);

  expect((await get(app)).status).toBe(200);
  expect(asked).toHaveLength(2);
});

test('a decision that is known lets the request on before the guard returns', () => {
  const decide = jest.fn(() => true);
  const authenticator = { cached: () => web, authenticate: async () => web, decide };
  const req = {};
  k8sServiceAccountAuth({ authenticator, getToken: () => 'token' })(req as never, {} as never, () => {});
  const next = jest.fn();
  requirePermission(orders)(req as never, {} as never, next);

  expect(next.mock.calls).toEqual([[]]);
  expect(decide).toHaveBeenCalledTimes(1);
});

test('check() alone needs a request that the middleware has seen', () => {
  expect(() => requirePermission(orders).check(web)).toThrow(/^requirePermission: check\(\) needs a request that/);
  expect(() => requirePermission(orders).check(web, {} as Request)).toThrow(/k8sServiceAccountAuth\(\) has seen/);
  expect(() => named.check(web)).toThrow('requirePermission: check() needs the request');
});
