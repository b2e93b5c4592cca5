import { afterEach, describe, expect, test } from '@jest/globals';
import { type ServiceAccountIdentity } from '../../src/index.ts';
import { fakeAuthenticator, fakeIdentity } from '../../src/testing/index.ts';
import { identityApp } from './support/identity-app.ts';
import { listening } from './support/listening.ts';
import { rawRequest, statusesOf } from './support/raw-request.ts';

const web = fakeIdentity('shop/web', { pod: 'web-1' });

const get = (...headers: readonly string[]): readonly string[] => [
  'GET / HTTP/1.1',
  'Host: a',
  'Connection: close',
  ...headers,
];

describe('the Authorization header on the wire', () => {
  const asked: string[] = [];
  const authenticator = {
    authenticate: async (token: string): Promise<ServiceAccountIdentity> => {
      asked.push(token);
      return web;
    },
  };
  afterEach(() => {
    asked.length = 0;
  });

  test.each([
    ['two Authorization headers', ['Authorization: Bearer t0ken-1', 'Authorization: Bearer t0ken-2'], 400],
    ['two equal ones', ['Authorization: Bearer t0ken-1', 'authorization: Bearer t0ken-1'], 400],
    ['another scheme and a token in two headers', ['Authorization: Basic YTpi', 'AUTHORIZATION: Bearer t0ken-2'], 400],
    ['an empty header and a token', ['Authorization:', 'Authorization: Bearer t0ken-2'], 400],
    ['an empty value', ['Authorization:'], 401],
    ['a value of blanks', ['Authorization:   '], 401],
    ['a tab between scheme and token', ['Authorization: Bearer\tt0ken-1'], 400],
    ['a tab within the token', ['Authorization: Bearer t0k\ten-1'], 400],
    ['a byte beyond ASCII', ['Authorization: Bearer töken'], 400],
    ['a token of 15 kB', [`Authorization: Bearer ${'a'.repeat(15_000)}`], 401],
    ['a token of 17 kB, past the limit of Node', [`Authorization: Bearer ${'a'.repeat(17_000)}`], 431],
  ])('%s asks nobody', async (_name, headers, status) => {
    await using server = await listening(identityApp({ authenticator }));

    const answer = await rawRequest(server.port, ...get(...headers));

    expect(statusesOf(answer)).toEqual([status]);
    expect(asked).toEqual([]);
    expect(answer).not.toMatch(/t0k|aaaa/);
  });

  test.each([
    ['a lower-case scheme', 'authorization: bearer t0ken-1'],
    ['an upper-case scheme', 'AUTHORIZATION: BEARER t0ken-1'],
    ['several blanks after the scheme', 'Authorization: Bearer    t0ken-1'],
    ['blanks around the value', 'Authorization: \t Bearer t0ken-1 \t'],
  ])('%s is as good as any', async (_name, header) => {
    await using server = await listening(identityApp({ authenticator }));

    expect(statusesOf(await rawRequest(server.port, ...get(header)))).toEqual([200]);
    expect(asked).toEqual(['t0ken-1']);
  });

  test('a header whose name only contains the word does not count', async () => {
    await using server = await listening(identityApp({ authenticator }));

    const answer = await rawRequest(
      server.port,
      ...get(
        'Proxy-Authorization: Bearer p',
        'X-Authorization: Bearer x',
        'Authorizations: Bearer s',
        'Authorization: Bearer t0ken-1',
        'Xuthorization: b',
      ),
    );

    expect(statusesOf(answer)).toEqual([200]);
    expect(asked).toEqual(['t0ken-1']);
  });

  test('a value that says authorization is not a second header', async () => {
    await using server = await listening(identityApp({ authenticator }));

    expect(
      statusesOf(await rawRequest(server.port, ...get('X-Name: authorization', 'Authorization: Bearer t0ken-1'))),
    ).toEqual([200]);
  });

  test('a server that joins duplicate headers still shows that there were several', async () => {
    await using server = await listening(identityApp({ authenticator }));
    Object.assign(server.server, { joinDuplicateHeaders: true });

    expect(
      statusesOf(
        await rawRequest(server.port, ...get('Authorization: Bearer t0ken-1', 'Authorization: Bearer t0ken-2')),
      ),
    ).toEqual([400]);
  });

  test('HTTP/1.0 is served too', async () => {
    await using server = await listening(identityApp({ authenticator }));

    expect(statusesOf(await rawRequest(server.port, 'GET / HTTP/1.0', 'Authorization: Bearer t0ken-1'))).toEqual([200]);
    expect(statusesOf(await rawRequest(server.port, 'GET / HTTP/1.0'))).toEqual([401]);
  });

  test('pipelined requests each get their own answer, in order', async () => {
    const known = fakeAuthenticator({ 't0ken-1': web, 't0ken-2': fakeIdentity('billing/api') });
    await using server = await listening(identityApp({ authenticator: known }));
    const lines = [
      'Authorization: Bearer t0ken-1',
      'X-Nothing: here',
      'Authorization: Bearer t0ken-2',
      'Authorization: Bearer t0ken-3',
      'Authorization: Bearer t0ken-1\r\nConnection: close',
    ].flatMap((header) => ['GET / HTTP/1.1', 'Host: a', header, '']);

    const answer = await rawRequest(server.port, ...lines.slice(0, -1));

    expect(statusesOf(answer)).toEqual([200, 401, 200, 401, 200]);
    expect([...answer.matchAll(/serviceaccount:([a-z:]+)/g)].map(([, name]) => name)).toEqual([
      'shop:web',
      'billing:api',
      'shop:web',
    ]);
  });
});
