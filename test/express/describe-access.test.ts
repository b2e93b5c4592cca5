import { METHODS } from 'node:http';
import { createRequire } from 'node:module';
import { describe, expect, test } from '@jest/globals';
import express5 from 'express';
import {
  anyOf,
  describeAccess,
  k8sServiceAccountAuth,
  type Mode,
  requireBoundPod,
  requireNamespace,
  requirePermission,
} from '../../src/index.ts';
import { fakeAuthenticator } from '../../src/testing/index.ts';

const express4 = createRequire(import.meta.url)('express-4') as typeof express5;
const auth = (mode: Mode = 'enforce'): express5.RequestHandler =>
  k8sServiceAccountAuth({ authenticator: fakeAuthenticator({}), mode }) as express5.RequestHandler;
const end: express5.RequestHandler = (_req, res) => {
  res.end();
};
const orders = requirePermission({ verb: 'get', group: 'orders.example.com', resource: 'orders' });

describe.each([
  ['4', express4],
  ['5', express5],
])('of an Express %s app', (version, express) => {
  const rowsOf = (app: unknown): unknown[] =>
    describeAccess(app)
      .toJSON()
      // Express 4 puts handlers of its own in front.
      .filter(({ method, path }) => version === '5' || method !== 'USE' || path !== '/');

  test('each route shows with its guards, in their order', () => {
    const app = express().use(auth());
    app.get('/orders/:id', requireNamespace('shop'), requireBoundPod(), end);
    app.post('/orders', orders, end);

    expect(rowsOf(app)).toEqual([
      {
        method: 'GET',
        path: '/orders/:id',
        identity: 'required',
        guards: ['namespace shop', 'a Pod-bound token'],
        isOpen: false,
      },
      {
        method: 'POST',
        path: '/orders',
        identity: 'required',
        guards: ['permission to get orders.orders.example.com'],
        isOpen: false,
      },
    ]);
  });

  test('what comes before the middleware is open, and what comes after it is not', () => {
    const app = express().get('/healthz', end).use(auth()).get('/orders', end);

    expect(rowsOf(app)).toMatchObject([
      { path: '/healthz', identity: 'none', isOpen: true },
      { path: '/orders', identity: 'required', guards: [], isOpen: false },
    ]);
  });

  test.each<[Mode, boolean, object]>([
    ['optional', false, { identity: 'optional', isOpen: true }],
    ['optional', true, { identity: 'optional', isOpen: false }],
    ['report', false, { identity: 'reported', isOpen: true }],
    ['report', true, { identity: 'reported', isOpen: true }],
    ['enforce', true, { identity: 'required', isOpen: false }],
  ])('in %s mode, guarded %j: %j', (mode, isGuarded, expected) => {
    const app = express().get('/', auth(mode), ...(isGuarded ? [requireNamespace('shop') as never] : []), end);
    expect(rowsOf(app)).toMatchObject([expected]);
  });

  test('an inner middleware does not open what an outer one has closed', () => {
    const app = express().use(auth()).get('/', auth('optional'), end);
    expect(rowsOf(app)).toMatchObject([{ identity: 'optional', isOpen: false }]);
  });

  test('a guard without the middleware lets nobody in', () => {
    expect(rowsOf(express().get('/', orders as never, end))).toMatchObject([{ identity: 'none', isOpen: false }]);
  });

  test('routers show with the paths that they are mounted at, and what stands in front of them there', () => {
    const inner = express.Router().get('/:id', orders as never, end);
    inner.get('/', end);
    const outer = express.Router().use('/inner', requireNamespace('shop') as never, inner);
    const app = express().use('/api/:version', auth(), outer).use('/other', inner);

    expect(rowsOf(app)).toMatchObject([
      { path: '/api/:version/inner/:id', identity: 'required', guards: ['namespace shop', orders.description] },
      { path: '/api/:version/inner', identity: 'required', guards: ['namespace shop'] },
      { path: '/other/:id', identity: 'none', guards: [orders.description], isOpen: false },
      { path: '/other', identity: 'none', guards: [], isOpen: true },
    ]);
  });

  test('paths of several segments, of none, and routers in routers show as they were written', () => {
    const inner = express.Router().use(end).get('/x', end);
    const app = express().use('/api/v1.0-beta/:id', inner).use('/', inner).use(inner);

    expect(rowsOf(app)).toMatchObject([
      { method: 'USE', path: '/api/v1.0-beta/:id' },
      { method: 'GET', path: '/api/v1.0-beta/:id/x' },
      ...(version === '5' ? [{ method: 'USE', path: '/' }] : []),
      { method: 'GET', path: '/x' },
      ...(version === '5' ? [{ method: 'USE', path: '/' }] : []),
      { method: 'GET', path: '/x' },
    ]);
  });

  test('expressions that handlers are mounted at show as they were written', () => {
    expect(rowsOf(express().use(/^\/(a|b)/, end))).toMatchObject([{ method: 'USE', path: '/^\\/(a|b)/' }]);
    const everything = version === '5' ? '/*path' : '*';
    expect(rowsOf(express().use(everything, end))).toMatchObject([
      { method: 'USE', path: version === '5' ? '/*path' : '/*' },
    ]);
  });

  test('a route without handlers does not show', () => {
    const app = express();
    app.route('/none');
    expect(rowsOf(app.get('/one', end))).toMatchObject([{ path: '/one' }]);
  });

  test('the middleware at one path counts for none that only begins like it', () => {
    const app = express().use('/orders', auth()).get('/orders/:id', end).get('/orders-archive', end);
    expect(rowsOf(app)).toMatchObject([
      { path: '/orders/:id', isOpen: false },
      { path: '/orders-archive', isOpen: true },
    ]);
  });

  test('each method of a route, each of several paths, all methods, and expressions show', () => {
    const app = express().use(auth());
    app.route('/orders').get(end).post(orders, end);
    app.get(['/a', '/b'], end);
    app.all('/all', end);
    app.get(/^\/archive/, end);
    app.use(['/m', '/n'], express.Router().get('/x', end));

    expect(
      rowsOf(app).map((row) =>
        Object.values(row as object)
          .slice(0, 2)
          .join(' '),
      ),
    ).toEqual([
      'GET /orders',
      'POST /orders',
      'GET /a',
      'GET /b',
      'ALL /all',
      'GET /^\\/archive/',
      'GET /m/x',
      'GET /n/x',
    ]);
    expect(rowsOf(app)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ method: 'POST', path: '/orders', guards: [orders.description] }),
        expect.objectContaining({ method: 'GET', path: '/orders', guards: [] }),
      ]),
    );
  });

  test('all methods of a path are one row, and no others: not some, and not where one has a guard of its own', () => {
    const router = express.Router();
    router.route('/router').all(orders as never, end);
    const app = express().all('/app', orders as never, end);
    const some = express();
    some.route('/some').get(end).post(end);
    const apart = express();
    const route = apart.route('/apart').post(orders as never);
    for (const method of METHODS) route[method.toLowerCase() as 'get'](end);

    expect(rowsOf(router)).toMatchObject([{ method: 'ALL', path: '/router', guards: [orders.description] }]);
    expect(rowsOf(app)).toMatchObject([{ method: 'ALL', path: '/app', guards: [orders.description] }]);
    expect(rowsOf(some)).toMatchObject([{ method: 'GET' }, { method: 'POST' }]);
    expect(rowsOf(apart)).toHaveLength(METHODS.length);
    expect(rowsOf(apart)[0]).toMatchObject({ method: 'POST', guards: [orders.description], isOpen: false });
  });

  test('guards for all methods of a route count for each of them', () => {
    const app = express();
    app
      .route('/orders')
      .all(auth(), orders as never)
      .get(end);
    expect(rowsOf(app)).toMatchObject([
      { method: 'GET', path: '/orders', guards: [orders.description], isOpen: false },
    ]);
  });

  test('what is given to use shows, and may answer too: static files, other apps; handlers of errors do not', () => {
    const app = express().use('/files', end).use(auth()).use('/sub', express().get('/', end));
    app.use(((_error, _req, _res, next) => next()) as express5.ErrorRequestHandler);

    expect(rowsOf(app)).toMatchObject([
      { method: 'USE', path: '/files', isOpen: true },
      { method: 'USE', path: '/sub', identity: 'required', isOpen: false },
    ]);
  });

  test('a route with handlers of errors among its handlers shows', () => {
    const onError: express5.ErrorRequestHandler = (_error, _req, res, _next) => {
      res.end();
    };
    expect(rowsOf(express().get('/', end, onError as never))).toMatchObject([{ path: '/', isOpen: true }]);
  });

  test.each([{ authenticator: {} }, { mode: 'enforce' }])(
    'a handler of others that resembles the middleware closes nothing: %j',
    (properties) => {
      const other: express5.RequestHandler = (_req, _res, next) => next();
      const app = express().use('/a', Object.assign(other, properties)).get('/a', end);
      expect(rowsOf(app)).toMatchObject([
        { method: 'USE', path: '/a', identity: 'none', isOpen: true },
        { method: 'GET', path: '/a', identity: 'none', isOpen: true },
      ]);
    },
  );

  test('combined guards show as a whole', () => {
    const app = express().get('/', auth(), anyOf(requireNamespace('shop'), orders) as never, end);
    expect(rowsOf(app)).toMatchObject([{ guards: [`any of (namespace shop, ${orders.description})`] }]);
  });

  test('as a text it is a table', () => {
    const app = express.Router().get('/healthz', end);
    app.use(auth());
    app.get('/orders/:id', requireNamespace('shop'), requireBoundPod(), end);
    const later = express.Router().get('/optional', auth('optional'), end).get('/reported', auth('report'), end);

    expect(String(describeAccess(app)).split('\n')).toEqual([
      '      METHOD  PATH         WHO              GUARDS',
      'open  GET     /healthz     anyone',
      '      GET     /orders/:id  ServiceAccounts  namespace shop; a Pod-bound token',
    ]);
    expect(String(describeAccess(later)).split('\n')).toEqual([
      '      METHOD  PATH       WHO                GUARDS',
      'open  GET     /optional  anyone',
      'open  GET     /reported  anyone (reported)',
    ]);
  });

  test('as JSON it is the routes', () => {
    const app = express.Router().get('/healthz', end);
    expect(JSON.parse(JSON.stringify(describeAccess(app)))).toEqual([
      { method: 'GET', path: '/healthz', identity: 'none', guards: [], isOpen: true },
    ]);
  });
});

test('a mount path that Express 5.0 to 5.2 do not tell shows as …, and what is mounted there counts for nothing outside', () => {
  const router = express5.Router().get('/x', end);
  const app = express5().use('/api', auth(), router).get('/…', end).use(auth()).get('/x', end);
  for (const layer of (app.router as unknown as { stack: { rawPath?: unknown; slash: boolean }[] }).stack) {
    if (!('route' in layer) || layer.route === undefined) delete layer.rawPath;
  }

  expect(describeAccess(app).routes).toMatchObject([
    { path: '/…/x', identity: 'none', isOpen: true },
    { path: '/…', isOpen: true },
    { path: '/x', identity: 'required', isOpen: false },
  ]);
});

test('an Express 5 app without routes has none', () => {
  expect(describeAccess(express5()).routes).toEqual([]);
});

test.each([undefined, null, {}, () => {}, 'app', express4(), { stack: [] }])('%p is no app', (app) => {
  expect(() => describeAccess(app)).toThrow('describeAccess: expected an Express app or router with routes');
});
