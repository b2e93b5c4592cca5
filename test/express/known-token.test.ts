import { afterEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/authentication/clock.ts';
import { createAuthenticator, type ServiceAccountIdentity } from '../../src/index.ts';
import { fakeIdentity } from '../../src/testing/index.ts';
import { audience, podToken } from '../support/tokens.ts';
import { identityApp } from './support/identity-app.ts';
import { listening } from './support/listening.ts';
import { rawRequest, statusesOf } from './support/raw-request.ts';
import { vouch } from './support/vouch.ts';

const get = (...headers: readonly string[]): readonly string[] => [
  'GET / HTTP/1.1',
  'Host: a',
  'Connection: close',
  ...headers,
];

describe('a token in the cache', () => {
  const token = podToken(systemClock);
  let reviews = 0;
  const authenticator = createAuthenticator({
    audiences: audience,
    reviewer: () => {
      reviews += 1;
      return vouch();
    },
  });

  test.each([
    ['as it is', [`Authorization: Bearer ${token}`], 200],
    ['with a scheme in lower case', [`Authorization: bearer ${token}`], 200],
    ['with several blanks before it', [`Authorization: Bearer   ${token}`], 200],
    ['in a second header', ['Authorization: Bearer t0ken', `Authorization: Bearer ${token}`], 400],
    ['twice', [`Authorization: Bearer ${token}`, `authorization: Bearer ${token}`], 400],
    ['before another scheme', [`Authorization: Bearer ${token}`, 'Authorization: Basic YTpi'], 400],
    ['of another scheme', [`Authorization: Basic ${token}`], 401],
    ['without its scheme', [`Authorization: ${token}`], 401],
    ['after a tab', [`Authorization: Bearer\t${token}`], 400],
    ['with more after it', [`Authorization: Bearer ${token} more`], 400],
    ['with a byte beyond ASCII after it', [`Authorization: Bearer ${token}ö`], 400],
    ['with padding after it', [`Authorization: Bearer ${token}=`], 401],
    ['with a part after it', [`Authorization: Bearer ${token}.${'a'.repeat(8_192)}`], 401],
  ])('%s', async (_name, headers, status) => {
    await authenticator.authenticate(token);
    const reviewsBefore = reviews;
    await using server = await listening(identityApp({ authenticator }));

    expect(statusesOf(await rawRequest(server.port, ...get(...headers)))).toEqual([status]);
    expect(reviews).toBe(reviewsBefore);
  });
});

describe('an authenticator that is not of this library', () => {
  const asked: string[] = [];
  const identity = fakeIdentity('shop/web');
  const authenticator = {
    cached: (token: string): ServiceAccountIdentity => {
      asked.push(token);
      return identity;
    },
    authenticate: async (): Promise<ServiceAccountIdentity> => identity,
  };
  afterEach(() => {
    asked.length = 0;
  });

  test.each([
    ['a malformed token', 'Authorization: Bearer t0ken more', []],
    ['a bearer token', 'Authorization: Bearer t0ken', ['t0ken']],
  ])('is asked for a bearer token and nothing else: %s', async (_name, header, questions) => {
    await using server = await listening(identityApp({ authenticator }));

    await rawRequest(server.port, ...get(header));

    expect(asked).toEqual(questions);
  });
});
