import { describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { type Mode } from '../../src/index.ts';
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

const throwing = (): never => {
  throw Object.assign(new Error('No cookie jar'), { status: 418 });
};

describe('getToken', () => {
  const authenticator = fakeAuthenticator(callers);

  test('its token is the one that counts, whatever the header says', async () => {
    const app = identityApp({ authenticator, getToken: (req) => req.headers['x-token'] as string | undefined });

    const { status, body } = await request(app).get('/').set('X-Token', 'good').set('Authorization', 'Bearer refused');

    expect(status).toBe(200);
    expect(body).toEqual({ caller: webName });
  });

  test.each<[string, unknown, number, string]>([
    ['undefined', undefined, 401, 'no_credentials'],
    ['an empty text', '', 400, 'malformed_credentials'],
    ['null', null, 400, 'malformed_credentials'],
    ['a number', 7, 400, 'malformed_credentials'],
    ['a list', ['good'], 400, 'malformed_credentials'],
    [
      'an object that reads as a token',
      { toString: () => 'good', length: 4, includes: () => false },
      400,
      'malformed_credentials',
    ],
    ['a promise', Promise.resolve('good'), 400, 'malformed_credentials'],
    ['a token with a newline', 'good\n', 400, 'malformed_credentials'],
    ['a whole header', 'Bearer good', 400, 'malformed_credentials'],
    ['two tokens', 'good,good', 400, 'several_credentials'],
    ['15 kB', 'a'.repeat(15_000), 401, 'token_too_long'],
    ['a token without an identity', 'refused', 401, 'token_refused'],
  ])('%s gets a refusal of its own kind, and one event', async (_name, token, status, code) => {
    const own = fakeAuthenticator(callers);
    const events = recordedEvents(own);
    const app = identityApp({ authenticator: own, getToken: () => token as string }).use(answerWithError);

    const { status: got, body } = await request(app).get('/');

    expect([got, (body as { code: string }).code]).toEqual([status, code]);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ event: 'rejected', payload: { code } });
  });

  test.each<[Mode, number]>([
    ['enforce', 401],
    ['optional', 200],
    ['report', 200],
  ])('undefined means no credentials in %s mode too', async (mode, status) => {
    expect((await request(identityApp({ authenticator, mode, getToken: () => undefined })).get('/')).status).toBe(
      status,
    );
  });

  test.each(['enforce', 'optional', 'report'] as const)('what it throws goes to Express in %s mode', async (mode) => {
    const app = identityApp({ authenticator, mode, getToken: throwing }).use(answerWithError);

    const { status, body } = await request(app).get('/');

    expect(status).toBe(418);
    expect(body).toEqual({ name: 'Error', message: 'No cookie jar' });
  });

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['0', 0],
    ["'route'", 'route'],
    ["'router'", 'router'],
  ])('that throws %s lets nobody in', async (_name, reason) => {
    const getToken = (): never => {
      // oxlint-disable-next-line typescript/only-throw-error
      throw reason;
    };
    const app = identityApp({ authenticator, getToken }).use(answerWithError);

    expect((await request(app).get('/')).status).toBe(500);
  });

  test('may use bearerToken(), whose errors keep their meaning', async () => {
    const { bearerToken } = await import('../../src/index.ts');
    const app = identityApp({
      authenticator,
      realm: 'orders',
      getToken: (req) => bearerToken(req.headersDistinct['x-forwarded-authorization']),
    });

    const good = await request(app).get('/').set('X-Forwarded-Authorization', 'Bearer good');
    const none = await request(app).get('/');

    expect(good.body).toEqual({ caller: webName });
    expect([none.status, none.headers['www-authenticate']]).toEqual([401, 'Bearer realm="orders"']);
  });
});
