import { describe, expect, test } from '@jest/globals';
import express from 'express';
import request from 'supertest';
import { type AuthenticatorLike, k8sServiceAccountAuth, ServiceAccountAuthError } from '../../src/index.ts';
import { fakeAuthenticator, fakeIdentity } from '../../src/testing/index.ts';
import { answerWithError } from './support/guarded-app.ts';
import { identityApp } from './support/identity-app.ts';
import { recordedEvents } from './support/recorded-events.ts';

const web = fakeIdentity('shop/web', { pod: 'web-1' });
const webName = 'system:serviceaccount:shop:web';
const callers = {
  good: web,
  refused: 'token_refused',
  'bad-audience': 'wrong_audience',
  unclear: 'api_server_timeout',
} as const;

type Expected = readonly [status: number, event: string | undefined];
interface Case {
  readonly what: string;
  readonly authorization: string | undefined;
  readonly enforce: Expected;
  readonly optional: Expected;
  readonly report: Expected;
}
const same = (what: string, authorization: string, status: number, event: string): Case => ({
  what,
  authorization,
  enforce: [status, event],
  optional: [status, event],
  report: [200, event],
});
const anonymous = (what: string, authorization: string | undefined): Case => ({
  what,
  authorization,
  enforce: [401, 'rejected no_credentials'],
  optional: [200, undefined],
  report: [200, 'rejected no_credentials'],
});
const cases: readonly Case[] = [
  anonymous('no credentials', undefined),
  anonymous('another scheme', 'Basic dXNlcjpwYXNz'),
  same('a header without a token', 'Bearer', 400, 'rejected malformed_credentials'),
  same('a token with a space', 'Bearer a b', 400, 'rejected malformed_credentials'),
  same('two tokens in a header', 'Bearer a, Bearer b', 400, 'rejected several_credentials'),
  same('a header that is no credentials', '"quoted"', 400, 'rejected malformed_credentials'),
  same('a token of 9 kB', `Bearer ${'a'.repeat(9_000)}`, 401, 'rejected token_too_long'),
  same('a bad token', 'Bearer refused', 401, 'rejected token_refused'),
  same('a token for another audience', 'Bearer bad-audience', 401, 'rejected wrong_audience'),
  same('a token nobody could judge', 'Bearer unclear', 503, 'unavailable api_server_timeout'),
  {
    what: 'a good token',
    authorization: 'Bearer good',
    enforce: [200, undefined],
    optional: [200, undefined],
    report: [200, undefined],
  },
];
const all = cases.flatMap((one) =>
  (['enforce', 'optional', 'report'] as const).map((mode) => Object.assign({ mode, expected: one[mode] }, one)),
);

describe('modes', () => {
  test.each(all)(
    '$mode: $what gets $expected.0, and $expected.1 as its only event',
    async ({ mode, authorization, expected, what }) => {
      const authenticator = fakeAuthenticator(callers);
      const events = recordedEvents(authenticator);
      const call = request(identityApp({ authenticator, mode })).get('/');

      const { status, body } = await (authorization === undefined ? call : call.set('Authorization', authorization));

      expect(status).toBe(expected[0]);
      if (status === 200) expect(body).toEqual({ caller: what === 'a good token' ? webName : null });
      expect(events.map(({ event, payload }) => `${event} ${(payload as { code: string }).code}`)).toEqual(
        expected[1] === undefined ? [] : [expected[1]],
      );
    },
  );

  test('enforce is the default', async () => {
    expect((await request(identityApp({ authenticator: fakeAuthenticator({}) })).get('/')).status).toBe(401);
  });

  test.each(['enforce', 'optional', 'report'] as const)(
    '%s: a failure that is none of ours goes to Express as it is',
    async (mode) => {
      const failure = Object.assign(new Error('The database is down'), { status: 502 });
      const app = identityApp({ authenticator: { authenticate: async () => Promise.reject(failure) }, mode });
      const seen: unknown[] = [];
      app.use(((error: unknown, _req: unknown, res: { end: () => void }, _next: unknown) => {
        seen.push(error);
        res.end();
      }) as express.ErrorRequestHandler);

      await request(app).get('/').set('Authorization', 'Bearer any');

      expect(seen).toEqual([failure]);
      expect(seen[0]).toBe(failure);
    },
  );

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['an empty text', ''],
    ["Express' signal 'route'", 'route'],
    ["Express' signal 'router'", 'router'],
  ])('an authenticator that rejects with %s lets nobody in', async (_name, reason) => {
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors
    const app = identityApp({ authenticator: { authenticate: async () => Promise.reject(reason) } }).use(
      answerWithError,
    );

    expect((await request(app).get('/').set('Authorization', 'Bearer any')).status).toBe(500);
  });

  test('an authenticator that resolves with no identity lets nobody in', async () => {
    const authenticate = (async () => undefined) as unknown as AuthenticatorLike['authenticate'];

    const { status } = await request(identityApp({ authenticator: { authenticate } }))
      .get('/')
      .set('Authorization', 'Bearer any');

    expect(status).toBe(500);
  });

  test.each<[string, AuthenticatorLike['authenticate'], number, string | undefined]>([
    [
      'a rejection',
      () => {
        throw new ServiceAccountAuthError('token_refused');
      },
      401,
      'Bearer realm="orders", error="invalid_token", error_description="The bearer token is not accepted"',
    ],
    [
      'another error',
      () => {
        throw new Error('broken');
      },
      500,
      undefined,
    ],
  ])(
    'an authenticator that throws %s at once is as one that rejects, and leaves no listener',
    async (_name, authenticate, status, challenge) => {
      const listeners: number[] = [];
      const app = express().set('env', 'test');
      const middleware = k8sServiceAccountAuth({ authenticator: { authenticate }, realm: 'orders' });
      app.use((req, res, next) => {
        const before = res.listenerCount('close');
        middleware(req, res, (error) => {
          listeners.push(res.listenerCount('close') - before);
          next(error);
        });
      });

      const response = await request(app).get('/').set('Authorization', 'Bearer any');

      expect(response.status).toBe(status);
      expect(response.headers['www-authenticate']).toBe(challenge);
      expect(listeners).toEqual([0]);
    },
  );

  test('in optional mode a guard that refuses an anonymous caller tells so, once', async () => {
    const { requireNamespace } = await import('../../src/index.ts');
    const authenticator = fakeAuthenticator({});
    const events = recordedEvents(authenticator);
    const app = express()
      .set('env', 'test')
      .use(k8sServiceAccountAuth({ authenticator, mode: 'optional' }));
    app.get('/', requireNamespace('shop'), (_req, res) => {
      res.end();
    });

    expect((await request(app).get('/')).status).toBe(401);
    expect(events).toEqual([
      { event: 'rejected', payload: { code: 'no_credentials', reason: expect.any(String), credentialId: undefined } },
    ]);
  });
});
