import { describe, expect, test } from '@jest/globals';
import type { Authenticator } from '../../src/kubernetes-authenticator.ts';
import { ServiceAccountAuthError } from '../../src/authentication/errors.ts';
import { fakeAuthenticator } from '../../src/testing/fake-authenticator.ts';
import { fakeIdentity } from '../../src/testing/fake-identity.ts';
import { caught } from '../support/caught.ts';
import { recordedEvents } from '../express/support/recorded-events.ts';

const web = fakeIdentity('shop/web');

const openInScope = async (): Promise<Authenticator> => {
  await using authenticator = fakeAuthenticator({});
  expect(authenticator.status().state).toBe('open');
  return authenticator;
};

test('a token with an identity is that very identity', async () => {
  expect(await fakeAuthenticator({ good: web }).authenticate('good')).toBe(web);
});

test('a token with a code meets that error', async () => {
  const error = await caught(fakeAuthenticator({ slow: 'api_server_timeout' }).authenticate('slow'));

  expect(error).toBeInstanceOf(ServiceAccountAuthError);
  expect(error).toMatchObject({ code: 'api_server_timeout', status: 503, headers: { 'Retry-After': '1' } });
});

test.each(['other', '', 'toString', '__proto__', 'constructor'])(
  'any other token, "%s" too, is refused',
  async (token) => {
    expect(await caught(fakeAuthenticator({ good: web }).authenticate(token))).toMatchObject({ code: 'token_refused' });
  },
);

test('tokens that are added to its list later are not known', async () => {
  const tokens: Record<string, typeof web> = {};
  const authenticator = fakeAuthenticator(tokens);
  tokens['good'] = web;

  expect(await caught(authenticator.authenticate('good'))).toMatchObject({ code: 'token_refused' });
});

test('nothing is cached, so that each request asks', () => {
  expect(fakeAuthenticator({ good: web }).cached('good')).toBeUndefined();
});

test('a caller that gave up beforehand gets its own reason, and is no event', async () => {
  const authenticator = fakeAuthenticator({});
  const events = recordedEvents(authenticator);
  const reason = new Error('too late');

  expect(await caught(authenticator.authenticate('other', { signal: AbortSignal.abort(reason) }))).toBe(reason);
  expect(events).toEqual([]);
});

describe('events', () => {
  test('tell each failure once, as a real authenticator does', async () => {
    const authenticator = fakeAuthenticator({ old: 'token_expired', slow: 'api_server_timeout', good: web });
    const events = recordedEvents(authenticator);
    for (const token of ['old', 'slow', 'other']) await caught(authenticator.authenticate(token));
    await authenticator.authenticate('good');

    expect(events).toEqual([
      { event: 'rejected', payload: { code: 'token_expired', reason: expect.any(String), credentialId: undefined } },
      { event: 'unavailable', payload: { code: 'api_server_timeout', reason: expect.any(String) } },
      { event: 'rejected', payload: { code: 'token_refused', reason: expect.any(String), credentialId: undefined } },
    ]);
  });

  test('come to a listener until it stops', async () => {
    const authenticator = fakeAuthenticator({});
    const codes: string[] = [];
    const off = authenticator.on('rejected', ({ code }) => codes.push(code));
    await caught(authenticator.authenticate('other'));
    off();
    await caught(authenticator.authenticate('other'));

    expect(codes).toEqual(['token_refused']);
  });

  test('disturb nobody when a listener throws', async () => {
    const authenticator = fakeAuthenticator({});
    authenticator.on('rejected', () => {
      throw new Error('The metrics are broken');
    });

    expect(await caught(authenticator.authenticate('other'))).toMatchObject({ code: 'token_refused' });
  });
});

describe('its life', () => {
  test('it is open and ready at once, and has reviewed nothing', async () => {
    const authenticator = fakeAuthenticator({});
    await authenticator.ready();

    expect(authenticator.status()).toMatchObject({
      state: 'open',
      lastReview: undefined,
      reviewsInFlight: 0,
      cachedIdentities: 0,
      credentialReadAt: undefined,
      cachedRejections: 0,
      watches: undefined,
      openStreams: 0,
    });
  });

  test('closed, it answers 503 to every token, and is not ready', async () => {
    const authenticator = fakeAuthenticator({ good: web });
    const events = recordedEvents(authenticator);
    await authenticator.close();

    expect(authenticator.status().state).toBe('closed');
    expect(await caught(authenticator.authenticate('good'))).toMatchObject({
      code: 'authenticator_closed',
      status: 503,
    });
    expect(events).toMatchObject([{ event: 'unavailable', payload: { code: 'authenticator_closed' } }]);
    expect(await caught(authenticator.ready())).toMatchObject({ code: 'authenticator_closed' });
  });

  test('await using closes it', async () => {
    expect((await openInScope()).status().state).toBe('closed');
  });
});

describe('revoke', () => {
  test('tells whoever listens for that identity, once, and refuses its tokens from then on', async () => {
    const other = fakeIdentity('shop/web', { pod: 'web-2' });
    const authenticator = fakeAuthenticator({ good: web, again: web, other });
    const heard: unknown[] = [];
    authenticator.onRevoked(web, (reason) => heard.push(reason));
    authenticator.onRevoked(other, () => heard.push('other'));
    authenticator.onRevoked(web, () => heard.push('stopped'))();
    expect(authenticator.status().openStreams).toBe(2);
    authenticator.revoke(web);
    authenticator.revoke(web);
    expect([heard, authenticator.status().openStreams]).toEqual([['revoked'], 1]);
    for (const token of ['good', 'again']) {
      expect(await caught(authenticator.authenticate(token))).toMatchObject({ code: 'token_revoked', status: 401 });
    }
    expect(await authenticator.authenticate('other')).toBe(other);
  });

  test('may give any reason, and closing gives its own', async () => {
    const authenticator = fakeAuthenticator({ good: web });
    const heard: unknown[] = [];
    authenticator.onRevoked(web, (reason) => heard.push(reason));
    authenticator.revoke(web, 'expired');
    authenticator.onRevoked(web, (reason) => heard.push(reason));
    await authenticator.close();
    expect(heard).toEqual(['expired', 'closed']);
  });
});
