import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { type AuthenticatorParts, CoreAuthenticator } from '../../src/authentication/authenticator.ts';
import { maxTokenLength } from '../../src/authentication/bearer-token.ts';
import { ServiceAccountAuthError } from '../../src/authentication/errors.ts';
import type { LogEntry } from '../../src/authentication/log.ts';
import { type Share, Unavailability } from '../../src/authentication/reviewer.ts';
import type { SignatureJudge, SignatureJudgement } from '../../src/authentication/signature-judge.ts';
import { caught } from '../support/caught.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ScriptedReviewer } from '../support/scripted-reviewer.ts';
import { settled } from '../support/settled.ts';
import { audience, podClaims, podReview, podToken, refusal, unsignedToken } from '../support/tokens.ts';

interface World {
  readonly clock: FakeClock;
  readonly reviewer: ScriptedReviewer;
  readonly logged: LogEntry[];
  readonly authenticator: CoreAuthenticator;
  readonly token: string;
}

function world(changes: Partial<AuthenticatorParts> = {}): World {
  const clock = new FakeClock();
  const reviewer = new ScriptedReviewer();
  const logged: LogEntry[] = [];
  const authenticator = new CoreAuthenticator({
    reviewer,
    audiences: [audience],
    maxEntries: 100,
    signatures: undefined,
    lifetimes: { maxAgeMs: 60_000, absoluteMaxAgeMs: 600_000, rejectionMaxAgeMs: 10_000, staleIfUnavailableMs: 0 },
    clock,
    log: (entry) => logged.push(entry),
    random: () => 0,
    ...changes,
  });
  return { clock, reviewer, logged, authenticator, token: podToken(clock) };
}

const down = new Unavailability('api_server_unreachable', 'ECONNREFUSED');

afterEach(() => {
  jest.restoreAllMocks();
});

describe('a token', () => {
  test('that the review authenticates yields its identity, and needs no review until its term is over', async () => {
    const { authenticator, clock, reviewer, token } = world();
    const identity = await authenticator.authenticate(token);
    expect(identity).toMatchObject({ namespace: 'shop', name: 'web', pod: { name: 'web-1' }, reviewedAt: clock.now() });
    clock.advance(59_999);
    reviewer.spareCapacity = false;
    expect(authenticator.cached(token)).toBe(identity);
    expect(await authenticator.authenticate(token)).toBe(identity);
    expect(reviewer.asked).toEqual([token]);
    clock.advance(1);
    expect(authenticator.cached(token)).toBeUndefined();
    await authenticator.authenticate(token);
    expect(reviewer.asked).toEqual([token, token]);
  });

  test('that is longer than any is not known, and not looked at', () => {
    const { authenticator, token } = world();
    expect(authenticator.cached(token.repeat(100))).toBeUndefined();
  });

  test('of the greatest length is remembered as any', async () => {
    const { authenticator, clock } = world();
    const tokens = Array.from({ length: 1_000 }, (_, more) =>
      unsignedToken(podClaims(clock, { padding: '.'.repeat(5_000 + more) }), { alg: 'RS256', kid: 'key-10' }),
    );
    const longest = tokens.find(({ length }) => length === maxTokenLength) ?? '';
    expect(authenticator.cached(longest)).toBeUndefined();
    const identity = await authenticator.authenticate(longest);
    expect(authenticator.cached(longest)).toBe(identity);
  });

  test('is not known before its first review', () => {
    const { authenticator, reviewer, token } = world();
    expect(authenticator.cached(token)).toBeUndefined();
    expect(reviewer.asked).toEqual([]);
  });

  test('is never cached where the maximal age is 0', async () => {
    const lifetimes = { maxAgeMs: 0, absoluteMaxAgeMs: 600_000, rejectionMaxAgeMs: 0, staleIfUnavailableMs: 0 };
    const { authenticator, reviewer, token } = world({ lifetimes });
    await authenticator.authenticate(token);
    expect(authenticator.cached(token)).toBeUndefined();
    reviewer.answer = async () => refusal;
    await caught(authenticator.authenticate(token));
    await caught(authenticator.authenticate(token));
    expect(reviewer.asked).toHaveLength(3);
    expect(authenticator.status()).toMatchObject({ cachedIdentities: 0, cachedRejections: 0 });
  });

  test('is used no longer than until its expiry', async () => {
    const { authenticator, clock, reviewer } = world();
    const token = podToken(clock, { exp: clock.now() / 1000 + 10 });
    await authenticator.authenticate(token);
    clock.advance(9_999);
    expect(authenticator.cached(token)).toBeDefined();
    clock.advance(1);
    expect(authenticator.cached(token)).toBeUndefined();
    clock.advance(5_000);
    expect(await caught(authenticator.authenticate(token))).toMatchObject({ code: 'token_expired' });
    expect(reviewer.asked).toHaveLength(1);
  });

  test('ages from the moment its review began, not from its end', async () => {
    const { authenticator, clock, reviewer, token } = world();
    const review = reviewer.hold();
    const waiting = authenticator.authenticate(token);
    clock.advance(50_000);
    review.answer(podReview());
    await waiting;
    reviewer.spareCapacity = false;
    clock.advance(9_999);
    expect(authenticator.cached(token)).toBeDefined();
    clock.advance(1);
    expect(authenticator.cached(token)).toBeUndefined();
  });

  test.each([
    ['no token68', 'a b', 'malformed_credentials'],
    ['two tokens', 'a,b', 'several_credentials'],
    ['too long', 'a'.repeat(8193), 'token_too_long'],
    ['no JWT', 'abc', 'token_malformed'],
    ['empty', '', 'malformed_credentials'],
  ])('that is %s is rejected without a review', async (_, token, code) => {
    const { authenticator, reviewer } = world();
    const heard: unknown[] = [];
    authenticator.on('rejected', (payload) => heard.push(payload));
    expect(await caught(authenticator.authenticate(token))).toMatchObject({ code });
    expect(heard).toEqual([{ code, reason: expect.any(String), credentialId: undefined }]);
    expect(reviewer.asked).toEqual([]);
    expect(authenticator.status().cachedRejections).toBe(0);
  });
});

describe('waiting for one review', () => {
  test('1,000 concurrent callers send one TokenReview and share one identity', async () => {
    const { authenticator, reviewer, token } = world();
    const identities = await Promise.all(Array.from({ length: 1_000 }, () => authenticator.authenticate(token)));
    expect(reviewer.asked).toHaveLength(1);
    expect(new Set(identities).size).toBe(1);
  });

  test('callers with different tokens do not wait for one another', async () => {
    const { authenticator, clock, reviewer } = world();
    await Promise.all([1, 2, 3].map(() => authenticator.authenticate(podToken(clock))));
    expect(reviewer.asked).toHaveLength(3);
  });

  test('everyone is rejected alike, each with an error of its own', async () => {
    const { authenticator, reviewer, token } = world();
    reviewer.answer = async () => refusal;
    const errors = await Promise.all([1, 2, 3].map(() => caught(authenticator.authenticate(token))));
    expect(errors).toEqual(Array.from({ length: 3 }, () => expect.objectContaining({ code: 'token_refused' })));
    expect(new Set(errors).size).toBe(3);
    expect(reviewer.asked).toHaveLength(1);
  });

  test.each<[string, () => never | Promise<never>]>([
    [
      'throws at once',
      () => {
        throw new TypeError('a bug');
      },
    ],
    ['rejects with an Error', () => Promise.reject(new Error('a bug'))],
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- it is what is tested
    ['rejects with a string', () => Promise.reject('a string')],
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- it is what is tested
    ['rejects with nothing', () => Promise.reject(undefined)],
  ])('everyone is told of the unavailability when the reviewer %s, and the next caller asks anew', async (_, fail) => {
    const { authenticator, reviewer, logged, token } = world();
    reviewer.answer = fail;
    const errors = await Promise.all([1, 2].map(() => caught(authenticator.authenticate(token))));
    expect(errors).toEqual([1, 2].map(() => expect.objectContaining({ code: 'reviewer_failed', status: 503 })));
    expect(logged).toEqual([
      { level: 'error', code: 'reviewer_failed', message: 'The reviewer failed in a way of its own' },
    ]);
    reviewer.answer = async () => podReview();
    expect(await authenticator.authenticate(token)).toMatchObject({ name: 'web' });
    expect(reviewer.asked).toHaveLength(2);
  });

  test('a caller that gives up gets the reason of its signal; the others and the cache get the verdict', async () => {
    const { authenticator, reviewer, token } = world();
    const review = reviewer.hold();
    const gone = new AbortController();
    const first = caught(authenticator.authenticate(token, { signal: gone.signal }));
    const second = authenticator.authenticate(token);
    gone.abort('gone home');
    expect(await first).toBe('gone home');
    review.answer(podReview());
    expect(await second).toMatchObject({ name: 'web' });
    expect(authenticator.cached(token)).toBeDefined();
    expect(reviewer.asked).toHaveLength(1);
  });

  test('when all callers give up, the verdict is cached all the same', async () => {
    const { authenticator, reviewer, token } = world();
    const review = reviewer.hold();
    const gone = new AbortController();
    const waiting = caught(authenticator.authenticate(token, { signal: gone.signal }));
    gone.abort();
    expect(await waiting).toMatchObject({ name: 'AbortError' });
    review.answer(podReview());
    await settled();
    expect(authenticator.cached(token)).toBeDefined();
  });

  test('a caller that gave up is told nothing more, neither as an event nor as an unhandled rejection', async () => {
    const { authenticator, reviewer, token } = world();
    const heard: unknown[] = [];
    authenticator.on('unavailable', (payload) => heard.push(payload));
    const review = reviewer.hold();
    const gone = new AbortController();
    const waiting = caught(authenticator.authenticate(token, { signal: gone.signal }));
    gone.abort();
    await waiting;
    review.fail(down);
    await settled();
    expect(heard).toEqual([]);
  });

  test('an aborted signal ends it before anything is asked', async () => {
    const { authenticator, reviewer, token } = world();
    const signal = AbortSignal.abort('too late');
    expect(await caught(authenticator.authenticate(token, { signal }))).toBe('too late');
    expect(reviewer.asked).toEqual([]);
  });

  test('1,000 waits on one long-lived signal leave no listener on it, however they end', async () => {
    const { authenticator, clock, reviewer } = world();
    const { signal } = new AbortController();
    reviewer.answer = async (asked) => (asked.length % 2 === 0 ? podReview() : refusal);
    await Promise.allSettled(
      Array.from({ length: 1_000 }, (_, index) =>
        authenticator.authenticate(podToken(clock, { filling: 'x'.repeat(index % 7) }), { signal }),
      ),
    );
    await settled();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('a signal that gave up holds no listener once the review is over', async () => {
    const { authenticator, reviewer, token } = world();
    const review = reviewer.hold();
    const gone = new AbortController();
    const waiting = caught(authenticator.authenticate(token, { signal: gone.signal }));
    expect(getEventListeners(gone.signal, 'abort')).toHaveLength(1);
    gone.abort();
    await waiting;
    review.answer(podReview());
    await settled();
    expect(getEventListeners(gone.signal, 'abort')).toEqual([]);
  });
});

describe('unavailability', () => {
  test('is never cached: the next caller asks anew', async () => {
    const { authenticator, reviewer, token } = world();
    reviewer.answer = () => Promise.reject(down);
    await caught(authenticator.authenticate(token));
    await caught(authenticator.authenticate(token));
    expect(reviewer.asked).toHaveLength(2);
    expect(authenticator.status()).toMatchObject({ cachedIdentities: 0, cachedRejections: 0, reviewsInFlight: 0 });
  });

  test('is 503 with the time that the API server asked for, is an event for each caller and logged once', async () => {
    const { authenticator, reviewer, logged, token } = world();
    const heard: unknown[] = [];
    authenticator.on('unavailable', (payload) => heard.push(payload));
    reviewer.answer = () => Promise.reject(new Unavailability('api_server_overloaded', 'HTTP 429', 7));
    const errors = await Promise.all([1, 2].map(() => caught(authenticator.authenticate(token))));
    for (const error of errors) {
      expect(error).toBeInstanceOf(ServiceAccountAuthError);
      expect(error).toMatchObject({ status: 503, headers: { 'Retry-After': '7' } });
    }
    expect(heard).toEqual([1, 2].map(() => ({ code: 'api_server_overloaded', reason: 'HTTP 429' })));
    expect(logged).toEqual([{ level: 'error', code: 'api_server_overloaded', message: 'HTTP 429' }]);
  });

  test('asks to try again in a second where nobody said when', async () => {
    const { authenticator, reviewer, token } = world();
    reviewer.answer = () => Promise.reject(down);
    expect(await caught(authenticator.authenticate(token))).toMatchObject({ headers: { 'Retry-After': '1' } });
  });
});

describe('a rejection', () => {
  test('is remembered for 10 s, with an event for each caller', async () => {
    const { authenticator, clock, reviewer, logged, token } = world();
    const heard: unknown[] = [];
    authenticator.on('rejected', (payload) => heard.push(payload));
    reviewer.answer = async () => refusal;
    await caught(authenticator.authenticate(token));
    clock.advance(9_999);
    expect(await caught(authenticator.authenticate(token))).toMatchObject({ code: 'token_refused', status: 401 });
    expect(reviewer.asked).toHaveLength(1);
    expect(heard).toEqual(
      [1, 2].map(() => ({
        code: 'token_refused',
        reason: 'token has been invalidated',
        credentialId: 'credential-1',
      })),
    );
    clock.advance(1);
    await caught(authenticator.authenticate(token));
    expect(reviewer.asked).toHaveLength(2);
    expect(logged).toEqual([]);
  });

  test('of a token issued within the last minute is remembered for 1 s, as another replica may know better', async () => {
    const { authenticator, clock, reviewer } = world();
    const token = podToken(clock, { iat: clock.now() / 1000 - 5 });
    reviewer.answer = async () => refusal;
    await caught(authenticator.authenticate(token));
    clock.advance(999);
    await caught(authenticator.authenticate(token));
    expect(reviewer.asked).toHaveLength(1);
    clock.advance(1);
    reviewer.answer = async () => podReview();
    expect(await authenticator.authenticate(token)).toMatchObject({ name: 'web' });
  });

  test('evicts no identity, though 20,000 rejected tokens come', async () => {
    const { authenticator, clock, reviewer, token } = world();
    await authenticator.authenticate(token);
    reviewer.answer = async () => refusal;
    for (let index = 0; index < 20_000; index += 1) await caught(authenticator.authenticate(podToken(clock)));
    expect(authenticator.status()).toMatchObject({ cachedIdentities: 1, cachedRejections: 100 });
    expect(authenticator.cached(token)).toBeDefined();
  }, 30_000);
});

async function inLastPart(changes: Partial<AuthenticatorParts> = {}): Promise<World> {
  const made = world(changes);
  await made.authenticator.authenticate(made.token);
  made.clock.advance(54_000);
  return made;
}

describe('the review ahead of need', () => {
  test('does not begin before the last part of the term', async () => {
    const { authenticator, clock, reviewer, token } = world();
    await authenticator.authenticate(token);
    clock.advance(53_999);
    authenticator.cached(token);
    await authenticator.authenticate(token);
    await settled();
    expect(reviewer.asked).toHaveLength(1);
  });

  test('begins with a hit in the last part, is an event of its own kind, and renews the term', async () => {
    const { authenticator, clock, reviewer, token } = await inLastPart();
    const heard: unknown[] = [];
    authenticator.on('reviewed', ({ outcome, background }) => heard.push({ outcome, background }));
    const before = authenticator.cached(token);
    expect(reviewer.asked).toHaveLength(2);
    await settled();
    expect(heard).toEqual([{ outcome: 'authenticated', background: true }]);
    clock.advance(50_000);
    const after = authenticator.cached(token);
    expect(after).toBeDefined();
    expect(after).not.toBe(before);
    expect(reviewer.asked).toHaveLength(2);
  });

  test('begins with a hit of authenticate() just as with one of cached()', async () => {
    const { authenticator, reviewer, token } = await inLastPart();
    await authenticator.authenticate(token);
    expect(reviewer.asked).toHaveLength(2);
  });

  test('is one at a time, and does not make anyone wait', async () => {
    const { authenticator, clock, reviewer, token } = await inLastPart();
    const review = reviewer.hold();
    for (let index = 0; index < 100; index += 1) expect(authenticator.cached(token)).toBeDefined();
    clock.advance(3_000);
    expect(authenticator.cached(token)).toBeDefined();
    expect(await authenticator.authenticate(token)).toBeDefined();
    expect(reviewer.asked).toHaveLength(2);
    expect(authenticator.status().reviewsInFlight).toBe(1);
    review.answer(podReview());
    await settled();
    expect(authenticator.status().reviewsInFlight).toBe(0);
  });

  test('yields while there is no spare capacity, and begins once there is', async () => {
    const { authenticator, reviewer, token } = await inLastPart();
    reviewer.spareCapacity = false;
    expect(authenticator.cached(token)).toBeDefined();
    expect(reviewer.asked).toHaveLength(1);
    reviewer.spareCapacity = true;
    expect(authenticator.cached(token)).toBeDefined();
    expect(reviewer.asked).toHaveLength(2);
  });

  test('that rejects ends the identity at once', async () => {
    const { authenticator, reviewer, token } = await inLastPart();
    reviewer.answer = async () => refusal;
    expect(authenticator.cached(token)).toBeDefined();
    await settled();
    expect(authenticator.cached(token)).toBeUndefined();
    expect(await caught(authenticator.authenticate(token))).toMatchObject({ code: 'token_refused' });
    expect(reviewer.asked).toHaveLength(2);
  });

  test('that finds nobody to say leaves the identity to the end of its term, asks once a second, and is logged', async () => {
    const { authenticator, clock, reviewer, logged, token } = await inLastPart();
    reviewer.answer = () => Promise.reject(down);
    authenticator.cached(token);
    await settled();
    clock.advance(999);
    expect(authenticator.cached(token)).toBeDefined();
    await settled();
    expect(reviewer.asked).toHaveLength(2);
    clock.advance(1);
    expect(authenticator.cached(token)).toBeDefined();
    await settled();
    expect(reviewer.asked).toHaveLength(3);
    expect(logged.map(({ code }) => code)).toEqual(['api_server_unreachable', 'api_server_unreachable']);
    clock.advance(5_000);
    expect(authenticator.cached(token)).toBeUndefined();
    expect(await caught(authenticator.authenticate(token))).toMatchObject({ status: 503 });
  });

  test('is joined by a caller whose identity lapsed meanwhile', async () => {
    const { authenticator, clock, reviewer, token } = await inLastPart();
    const review = reviewer.hold();
    authenticator.cached(token);
    clock.advance(10_000);
    const waiting = authenticator.authenticate(token);
    review.answer(podReview());
    expect(await waiting).toMatchObject({ name: 'web' });
    expect(reviewer.asked).toHaveLength(2);
  });

  test('is not sent for a token that the precheck already refuses', async () => {
    const { authenticator, clock, reviewer, token } = await inLastPart();
    clock.advanceWall(-7_200_000);
    expect(authenticator.cached(token)).toBeDefined();
    await settled();
    expect(reviewer.asked).toHaveLength(1);
  });
});

describe('closing', () => {
  test('refuses new tokens with 503, known ones too, and forgets everything', async () => {
    const { authenticator, clock, reviewer, token } = world();
    await authenticator.authenticate(token);
    await authenticator.close();
    expect(authenticator.cached(token)).toBeUndefined();
    for (const other of [token, podToken(clock), 'not a token']) {
      expect(await caught(authenticator.authenticate(other))).toMatchObject({
        code: 'authenticator_closed',
        status: 503,
      });
    }
    expect(await caught(authenticator.ready())).toMatchObject({ code: 'authenticator_closed' });
    expect(reviewer.asked).toHaveLength(1);
    expect(authenticator.status()).toMatchObject({ state: 'closed', cachedIdentities: 0, cachedRejections: 0 });
  });

  test('refuses from the moment it is asked to, lets reviews in flight end, and only then closes the reviewer', async () => {
    const { authenticator, reviewer, token } = world();
    const review = reviewer.hold();
    const waiting = authenticator.authenticate(token);
    const closing = authenticator.close();
    expect(authenticator.status()).toMatchObject({ state: 'closed', reviewsInFlight: 1 });
    expect(await caught(authenticator.authenticate(token))).toMatchObject({ code: 'authenticator_closed' });
    await settled();
    expect(reviewer.closed).toBe(0);
    review.answer(podReview());
    expect(await waiting).toMatchObject({ name: 'web' });
    await closing;
    expect(reviewer.closed).toBe(1);
    expect(authenticator.status()).toMatchObject({ cachedIdentities: 0, reviewsInFlight: 0 });
  });

  test('ends properly though a review in flight fails', async () => {
    const { authenticator, reviewer, token } = world();
    const review = reviewer.hold();
    const waiting = caught(authenticator.authenticate(token));
    const closing = authenticator.close();
    review.fail('nonsense');
    await closing;
    expect(await waiting).toMatchObject({ code: 'reviewer_failed' });
    expect(reviewer.closed).toBe(1);
  });

  test('begins at once for what is cached too, while a review in flight still ends', async () => {
    const { authenticator, clock, reviewer, token } = world();
    await authenticator.authenticate(token);
    const review = reviewer.hold();
    const waiting = authenticator.authenticate(podToken(clock));
    const closing = authenticator.close();
    expect(authenticator.cached(token)).toBeUndefined();
    review.answer(podReview());
    await Promise.all([waiting, closing]);
  });

  test('tells the operator why, and is what `await using` ends with', async () => {
    const { authenticator, reviewer, token } = world();
    const reasons: string[] = [];
    authenticator.on('unavailable', ({ reason }) => reasons.push(reason));
    {
      await using disposable = authenticator;
      expect(disposable.status().state).toBe('open');
    }
    expect([authenticator.status().state, reviewer.closed]).toEqual(['closed', 1]);
    await caught(authenticator.authenticate(token));
    expect(reasons).toEqual(['The authenticator is closed']);
  });

  test('happens once, however often it is asked for, and with `await using` too', async () => {
    const { authenticator, reviewer } = world();
    {
      await using disposable = authenticator;
      expect(disposable.close()).toBe(disposable.close());
    }
    await authenticator.close();
    expect(reviewer.closed).toBe(1);
  });
});

describe('status', () => {
  test('tells of an authenticator that has done nothing', () => {
    expect(world().authenticator.status()).toEqual({
      state: 'open',
      lastReview: undefined,
      reviewsInFlight: 0,
      circuit: 'closed',
      keysFetchedAt: undefined,
      credentialReadAt: undefined,
      cachedIdentities: 0,
      cachedRejections: 0,
      watches: undefined,
      openStreams: 0,
    });
  });

  test('tells when our own credential was read, where something knows', () => {
    let readAt: number | undefined;
    const { authenticator } = world({ credentialReadAt: () => readAt });
    expect(authenticator.status().credentialReadAt).toBeUndefined();
    readAt = 5;
    expect(authenticator.status().credentialReadAt).toBe(5);
  });

  test('tells how the last review ended, and when', async () => {
    const { authenticator, clock, reviewer } = world();
    await authenticator.authenticate(podToken(clock));
    const first = clock.now();
    expect(authenticator.status().lastReview).toEqual({ at: first, outcome: 'authenticated', code: undefined });
    clock.advance(5);
    reviewer.answer = async () => refusal;
    await caught(authenticator.authenticate(podToken(clock)));
    expect(authenticator.status()).toMatchObject({
      lastReview: { at: first + 5, outcome: 'rejected', code: undefined },
      cachedIdentities: 1,
      cachedRejections: 1,
    });
    reviewer.answer = () => Promise.reject(down);
    await caught(authenticator.authenticate(podToken(clock)));
    expect(authenticator.status().lastReview).toMatchObject({
      outcome: 'unavailable',
      code: 'api_server_unreachable',
    });
  });
});

describe('events', () => {
  test('a review is an event with how long it took, however many waited for it', async () => {
    const { authenticator, clock, reviewer, token } = world();
    const heard: unknown[] = [];
    authenticator.on('reviewed', (payload) => heard.push(payload));
    const review = reviewer.hold();
    const waiting = Promise.all([authenticator.authenticate(token), authenticator.authenticate(token)]);
    clock.advance(12);
    review.answer(podReview());
    await waiting;
    expect(heard).toEqual([{ outcome: 'authenticated', durationMs: 12, background: false }]);
  });

  test('a listener that throws changes no outcome, and is logged', async () => {
    const { authenticator, logged, token } = world();
    authenticator.on('reviewed', () => {
      throw new Error('a bug of the listener');
    });
    expect(await authenticator.authenticate(token)).toMatchObject({ name: 'web' });
    expect(logged.map(({ code }) => code)).toEqual(['listener_failed']);
  });

  test('a listener taken off hears nothing more', async () => {
    const { authenticator, clock } = world();
    let heard = 0;
    const off = authenticator.on('reviewed', () => {
      heard += 1;
    });
    await authenticator.authenticate(podToken(clock));
    off();
    await authenticator.authenticate(podToken(clock));
    expect(heard).toBe(1);
  });
});

describe('without audiences', () => {
  test('warns once that tokens can be replayed against the API server, when work starts', async () => {
    const { authenticator, clock, logged } = world({ audiences: [] });
    expect(logged).toEqual([]);
    await authenticator.ready();
    expect(logged).toHaveLength(1);
    await authenticator.ready();
    await authenticator.authenticate(podToken(clock));
    expect(logged).toEqual([{ level: 'warn', code: 'no_audiences', message: expect.stringContaining('`audiences`') }]);
  });

  test('warns with the first review where nobody asked for readiness', async () => {
    const { authenticator, logged, token } = world({ audiences: [] });
    await authenticator.authenticate(token);
    expect(logged.map(({ code }) => code)).toEqual(['no_audiences']);
  });

  test('there is no warning where there are some', async () => {
    const { authenticator, logged, token } = world();
    await authenticator.ready();
    await authenticator.authenticate(token);
    expect(logged).toEqual([]);
  });
});

describe('readiness', () => {
  test("is the reviewer's, and so is what keeps it", async () => {
    const { authenticator, reviewer } = world();
    await expect(authenticator.ready()).resolves.toBeUndefined();
    reviewer.answer = () => Promise.reject(down);
    expect(await caught(authenticator.ready())).toBe(down);
  });

  test('is the last review, as it ended', async () => {
    const { authenticator, clock, reviewer } = world();
    await authenticator.ready();
    expect(authenticator.status().lastReview).toEqual({ at: clock.now(), outcome: 'rejected', code: undefined });
    clock.advance(5);
    reviewer.answer = () => Promise.reject(down);
    await caught(authenticator.ready());
    expect(authenticator.status().lastReview).toEqual({
      at: clock.now(),
      outcome: 'unavailable',
      code: 'api_server_unreachable',
    });
  });

  test("that fails in a stranger's way shows in the status as the reviewer's failure", async () => {
    const { authenticator, clock, reviewer } = world();
    const bug = new TypeError('a bug');
    reviewer.answer = () => Promise.reject(bug);
    expect(await caught(authenticator.ready())).toBe(bug);
    expect(authenticator.status().lastReview).toEqual({
      at: clock.now(),
      outcome: 'unavailable',
      code: 'reviewer_failed',
    });
  });
});

/** A judge that says what it is told to. */
class ScriptedJudge implements SignatureJudge {
  judgement: () => Promise<SignatureJudgement> = async () => 'confirmed';
  keysFetchedAt: number | undefined;
  readies = 0;
  readonly judged: string[] = [];
  readonly shares: (Share | undefined)[] = [];

  judge(token: string, share?: Share): Promise<SignatureJudgement> {
    this.judged.push(token);
    this.shares.push(share);
    return this.judgement();
  }

  async ready(): Promise<void> {
    this.readies += 1;
  }
}

describe('the shield', () => {
  function shielded(changes: Partial<AuthenticatorParts> = {}): World & { readonly judge: ScriptedJudge } {
    const judge = new ScriptedJudge();
    return { ...world({ signatures: judge, ...changes }), judge };
  }

  test('ends a refuted token without a review, and remembers it like any rejection', async () => {
    const { authenticator, clock, judge, logged, reviewer, token } = shielded();
    judge.judgement = async () => 'refuted';
    const heard: unknown[] = [];
    authenticator.on('rejected', (payload) => heard.push(payload));
    for (let index = 0; index < 3; index += 1) {
      expect(await caught(authenticator.authenticate(token))).toMatchObject({ code: 'token_forged', status: 401 });
    }
    expect([judge.judged.length, reviewer.asked.length, logged.length]).toEqual([1, 0, 0]);
    expect(heard).toEqual(
      [1, 2, 3].map(() => ({ code: 'token_forged', reason: expect.any(String), credentialId: 'credential-1' })),
    );
    clock.advance(10_000);
    await caught(authenticator.authenticate(token));
    expect(judge.judged).toHaveLength(2);
    expect(authenticator.status().lastReview).toBeUndefined();
  });

  test('vouches for nobody: a token whose signature may be good is reviewed', async () => {
    const { authenticator, judge, reviewer, token } = shielded();
    reviewer.answer = async () => refusal;
    expect(await caught(authenticator.authenticate(token))).toMatchObject({ code: 'token_refused' });
    expect([judge.judged, reviewer.asked]).toEqual([[token], [token]]);
  });

  test('is asked once for 1,000 callers of one token, and not at all for what is cached or hopeless', async () => {
    const { authenticator, clock, judge, token } = shielded();
    await Promise.all(Array.from({ length: 1_000 }, () => authenticator.authenticate(token)));
    authenticator.cached(token);
    await authenticator.authenticate(token);
    await caught(authenticator.authenticate(podToken(clock, { exp: clock.now() / 1000 - 60 })));
    await caught(authenticator.authenticate(podToken(clock, { aud: ['other'] })));
    expect(judge.judged).toEqual([token]);
  });

  test('lets few tokens of unknown keys through at once and 10 a second after it; the others are 503, not 401', async () => {
    const { authenticator, clock, judge, reviewer } = shielded();
    judge.judgement = async () => 'unknown_key';
    reviewer.answer = async () => refusal;
    const statuses = async (count: number): Promise<unknown[]> => {
      const all = Array.from({ length: count }, () => caught(authenticator.authenticate(podToken(clock))));
      return (await Promise.all(all)).map((error) => (error as ServiceAccountAuthError).code);
    };
    const first = await statuses(200);
    expect(first.filter((code) => code === 'token_refused')).toHaveLength(40);
    expect(first.filter((code) => code === 'unknown_key_limit')).toHaveLength(160);
    clock.advance(3_000);
    expect((await statuses(200)).filter((code) => code === 'token_refused')).toHaveLength(23);
    expect(reviewer.asked).toHaveLength(63);
    expect(new ServiceAccountAuthError('unknown_key_limit').status).toBe(503);
  });

  test('that runs out for unknown keys leaves known ones alone, and remembers no verdict on the others', async () => {
    const { authenticator, clock, judge, reviewer, token } = shielded();
    judge.judgement = async () => 'unknown_key';
    reviewer.answer = async () => refusal;
    for (let index = 0; index < 40; index += 1) await caught(authenticator.authenticate(podToken(clock)));
    const remembered = authenticator.status().cachedRejections;
    expect(await caught(authenticator.authenticate(token))).toMatchObject({ code: 'unknown_key_limit' });
    expect(authenticator.status().cachedRejections).toBe(remembered);
    judge.judgement = async () => 'confirmed';
    reviewer.answer = async () => podReview();
    expect(await authenticator.authenticate(token)).toMatchObject({ name: 'web' });
  });

  test('leaves a valid token of an unpublished key its identity, cached like any other', async () => {
    const { authenticator, judge, reviewer, token } = shielded();
    judge.judgement = async () => 'unknown_key';
    await authenticator.authenticate(token);
    for (let index = 0; index < 1_000; index += 1) expect(authenticator.cached(token)).toBeDefined();
    expect([judge.judged.length, reviewer.asked.length]).toEqual([1, 1]);
  });

  test('that fails in a way of its own is 503, in words that quote nothing', async () => {
    const { authenticator, judge, logged, token } = shielded();
    judge.judgement = () => Promise.reject(new Error(token));
    expect(await caught(authenticator.authenticate(token))).toMatchObject({ code: 'reviewer_failed', status: 503 });
    expect(JSON.stringify(logged)).not.toContain(token);
    expect(authenticator.status().reviewsInFlight).toBe(0);
  });

  test('takes its time from the deadline of the review, and the identity ages from the review itself', async () => {
    const { authenticator, clock, judge, reviewer, token } = shielded();
    judge.judgement = async () => {
      clock.advance(800);
      return 'possible';
    };
    await authenticator.authenticate(token);
    expect(reviewer.waited).toEqual([800]);
    reviewer.spareCapacity = false;
    clock.advance(59_999);
    expect(authenticator.cached(token)).toBeDefined();
    clock.advance(1);
    expect(authenticator.cached(token)).toBeUndefined();
  });

  test('ends the identity of a token whose background review finds it refuted', async () => {
    const { authenticator, clock, judge, token } = shielded();
    await authenticator.authenticate(token);
    clock.advance(54_000);
    judge.judgement = async () => 'refuted';
    expect(authenticator.cached(token)).toBeDefined();
    await settled();
    expect(authenticator.cached(token)).toBeUndefined();
  });

  test('is made ready with the reviewer, and shows in the status', async () => {
    const { authenticator, judge } = shielded();
    await authenticator.ready();
    expect(judge.readies).toBe(1);
    judge.keysFetchedAt = 5;
    expect(authenticator.status().keysFetchedAt).toBe(5);
  });

  test('is waited for when closing, with the review that follows it', async () => {
    const { authenticator, judge, reviewer, token } = shielded();
    const { promise, resolve } = Promise.withResolvers<SignatureJudgement>();
    judge.judgement = () => promise;
    const waiting = authenticator.authenticate(token);
    const closing = authenticator.close();
    await settled();
    expect(reviewer.closed).toBe(0);
    resolve('possible');
    expect(await waiting).toMatchObject({ name: 'web' });
    await closing;
    expect(reviewer.closed).toBe(1);
  });
});

describe('in a flood', () => {
  const flooder = '::ffff:10.0.0.66';
  const ofWeb = ['verified', 'shop', 'web', 'uid-of-web-1'];

  function flooded(judgement: SignatureJudgement): World & { readonly judge: ScriptedJudge } {
    const judge = new ScriptedJudge();
    judge.judgement = async () => judgement;
    return { ...world({ signatures: judge }), judge };
  }

  /** So many bad tokens from the flooder; what the last of them came to. */
  async function flood({ authenticator, clock, reviewer }: World, count = 1_000): Promise<unknown> {
    reviewer.answer = async () => refusal;
    let last: unknown;
    for (let index = 0; index < count; index += 1) {
      last = await caught(authenticator.authenticate(podToken(clock), { peer: flooder }));
    }
    reviewer.answer = async () => podReview();
    return last;
  }

  test('tokens that a key confirms share by ServiceAccount and Pod, wherever they come from; the others by peer', async () => {
    const all = flooded('confirmed');
    const { authenticator, clock, judge, reviewer } = all;
    await authenticator.authenticate(podToken(clock), { peer: flooder });
    judge.judgement = async () => 'possible';
    await authenticator.authenticate(podToken(clock), { peer: flooder });
    judge.judgement = async () => 'unknown_key';
    await authenticator.authenticate(podToken(clock));
    expect(reviewer.shares).toEqual([ofWeb, ['unverified', '10.0.0.66'], ['unverified', '']]);
    // Before its check nothing is known of a token.
    expect(judge.shares).toEqual([
      ['unverified', '10.0.0.66'],
      ['unverified', '10.0.0.66'],
      ['unverified', ''],
    ]);
  });

  test.each([
    ['unknown_key', 'unknown_key_limit'],
    ['possible', 'peer_limit'],
  ] as const)('of tokens that are %s the sender gets 503 %s, an event and a log entry', async (judgement, code) => {
    const all = flooded(judgement);
    const heard: unknown[] = [];
    all.authenticator.on('unavailable', (payload) => heard.push(payload));
    expect(await flood(all)).toMatchObject({ code, status: 503, headers: { 'Retry-After': '1' } });
    expect(heard.at(-1)).toEqual({ code, reason: expect.stringContaining('10.0.0.66') });
    expect(all.logged.at(-1)).toEqual({ level: 'error', code, message: expect.stringContaining('10.0.0.66') });
    expect(all.reviewer.asked.length).toBeLessThanOrEqual(200);
  });

  test.each(['unknown_key', 'possible'] as const)('of tokens that are %s other peers are served', async (judgement) => {
    const all = flooded(judgement);
    await flood(all);
    expect(await all.authenticator.authenticate(all.token, { peer: '10.0.0.7' })).toMatchObject({ name: 'web' });
  });

  test.each(['unknown_key', 'possible'] as const)(
    'of tokens that are %s neighbours behind its address are served where a key confirms theirs',
    async (judgement) => {
      const all = flooded(judgement);
      await flood(all);
      all.judge.judgement = async () => 'confirmed';
      expect(await all.authenticator.authenticate(all.token, { peer: flooder })).toMatchObject({ name: 'web' });
    },
  );

  test.each(['unknown_key', 'possible'] as const)(
    'of tokens that are %s a neighbour that was verified before is reviewed anew, as who it is',
    async (judgement) => {
      const all = flooded(judgement);
      const { authenticator, clock, judge, reviewer, token } = all;
      await authenticator.authenticate(token, { peer: flooder });
      // Long after its term, so that nothing of it is in use.
      clock.advance(300_000);
      await flood(all);
      expect(await authenticator.authenticate(token, { peer: flooder })).toMatchObject({ reviewedAt: clock.now() });
      expect([judge.shares.at(-1), reviewer.shares.at(-1)]).toEqual([ofWeb, ofWeb]);
    },
  );

  test('a token that was refused since it was verified is held like any other', async () => {
    const all = flooded('possible');
    const { authenticator, clock, reviewer, token } = all;
    await authenticator.authenticate(token, { peer: flooder });
    clock.advance(60_000);
    reviewer.answer = async () => refusal;
    await caught(authenticator.authenticate(token, { peer: flooder }));
    clock.advance(10_000);
    await flood(all);
    expect(await caught(authenticator.authenticate(token, { peer: flooder }))).toMatchObject({ code: 'peer_limit' });
  });

  test('cached identities wait for nothing, though neither key nor reviewer answers any more', async () => {
    const { authenticator, clock, judge, reviewer, token } = flooded('confirmed');
    await authenticator.authenticate(token);
    judge.judgement = () => new Promise(() => {});
    reviewer.answer = () => new Promise(() => {});
    for (let index = 0; index < 5_000; index += 1) void authenticator.authenticate(podToken(clock), { peer: flooder });
    expect(authenticator.cached(token)).toBeDefined();
    expect(await authenticator.authenticate(token)).toMatchObject({ name: 'web' });
  });
});

test('the circuit in the status is that of the reviewer', () => {
  const { authenticator, reviewer } = world();
  for (const circuit of ['open', 'half_open', 'closed'] as const) {
    reviewer.circuit = circuit;
    expect(authenticator.status().circuit).toBe(circuit);
  }
});

describe('while the API server cannot be asked', () => {
  const lifetimes = { maxAgeMs: 60_000, absoluteMaxAgeMs: 600_000, rejectionMaxAgeMs: 10_000 };

  async function lapsed(staleIfUnavailableMs: number, claims: object = {}): Promise<World> {
    const made = world({ lifetimes: { ...lifetimes, staleIfUnavailableMs } });
    const token = podToken(made.clock, { ...claims });
    await made.authenticator.authenticate(token);
    made.clock.advance(60_000);
    return { ...made, token };
  }

  const outages = [
    'api_server_unreachable',
    'api_server_timeout',
    'api_server_overloaded',
    'api_server_down',
    'api_server_error',
    'answer_invalid',
    'review_queue_full',
    'reviewer_failed',
    'credential_unreadable',
    'configuration_invalid',
  ] as const;

  test.each(outages)('(%s) a lapsed identity is 503 by default', async (code) => {
    const { authenticator, reviewer, token } = await lapsed(0);
    reviewer.answer = () => Promise.reject(new Unavailability(code, 'no'));
    expect(await caught(authenticator.authenticate(token))).toMatchObject({ code, status: 503 });
    expect(authenticator.status().cachedIdentities).toBe(0);
  });

  test.each(outages)(
    '(%s) it serves for as long as configured, and each time the API server is asked',
    async (code) => {
      const { authenticator, clock, logged, reviewer, token } = await lapsed(30_000);
      reviewer.answer = () => Promise.reject(new Unavailability(code, 'no'));
      const heard: unknown[] = [];
      authenticator.on('unavailable', (payload) => heard.push(payload));
      expect(await authenticator.authenticate(token)).toMatchObject({ name: 'web' });
      clock.advance(29_999);
      expect(authenticator.cached(token)).toBeUndefined();
      expect(await authenticator.authenticate(token)).toMatchObject({ name: 'web' });
      expect([reviewer.asked.length, logged.length, heard.length]).toEqual([3, 2, 0]);
      clock.advance(1);
      expect(await caught(authenticator.authenticate(token))).toMatchObject({ code });
      expect(heard).toHaveLength(1);
    },
  );

  test('nobody is let in who was not known before it', async () => {
    const { authenticator, clock, reviewer } = await lapsed(30_000);
    reviewer.answer = () => Promise.reject(down);
    expect(await caught(authenticator.authenticate(podToken(clock)))).toMatchObject({ status: 503 });
  });

  test('1,000 callers of one token wait for one review, and all are served', async () => {
    const { authenticator, reviewer, token } = await lapsed(30_000);
    const review = reviewer.hold();
    const all = Promise.all(Array.from({ length: 1_000 }, () => authenticator.authenticate(token)));
    review.fail(down);
    expect(new Set(await all).size).toBe(1);
    expect(reviewer.asked).toHaveLength(2);
  });

  test('an identity serves never past its expiry', async () => {
    const { authenticator, clock, reviewer, token } = await lapsed(3_600_000, { exp: 1_800_000_000 + 62 });
    reviewer.answer = () => Promise.reject(down);
    clock.advance(1_999);
    expect(await authenticator.authenticate(token)).toMatchObject({ name: 'web' });
    clock.advance(1);
    expect(await caught(authenticator.authenticate(token))).toMatchObject({ status: 503 });
    clock.advance(5_000);
    expect(await caught(authenticator.authenticate(token))).toMatchObject({ code: 'token_expired' });
  });

  test('an identity that the API server rejected since never serves', async () => {
    const { authenticator, clock, reviewer, token } = await lapsed(30_000);
    reviewer.answer = async () => refusal;
    expect(await caught(authenticator.authenticate(token))).toMatchObject({ code: 'token_refused' });
    reviewer.answer = () => Promise.reject(down);
    expect(await caught(authenticator.authenticate(token))).toMatchObject({ code: 'token_refused' });
    clock.advance(10_000);
    expect(await caught(authenticator.authenticate(token))).toMatchObject({ code: 'api_server_unreachable' });
  });

  test.each(['reviewer_unauthenticated', 'reviewer_forbidden'] as const)(
    'because it refuses us (%s), nobody is served, and an outage after it changes nothing; a verdict does',
    async (code) => {
      const { authenticator, clock, reviewer, token } = await lapsed(30_000);
      reviewer.answer = () => Promise.reject(new Unavailability(code, 'no'));
      expect(await caught(authenticator.authenticate(token))).toMatchObject({ code, status: 503 });
      for (const later of [down, new Unavailability('api_server_down', 'no'), new Error('a bug')]) {
        reviewer.answer = () => Promise.reject(later);
        expect(await caught(authenticator.authenticate(token))).toMatchObject({ status: 503 });
      }
      reviewer.answer = async () => refusal;
      await caught(authenticator.authenticate(podToken(clock)));
      reviewer.answer = () => Promise.reject(down);
      expect(await authenticator.authenticate(token)).toMatchObject({ name: 'web' });
    },
  );

  test('because it refused us when we asked for readiness, nobody is served, until readiness is proven', async () => {
    const { authenticator, reviewer, token } = await lapsed(30_000);
    reviewer.answer = () => Promise.reject(new Unavailability('reviewer_forbidden', 'no'));
    await caught(authenticator.ready());
    reviewer.answer = () => Promise.reject(down);
    expect(await caught(authenticator.authenticate(token))).toMatchObject({ status: 503 });
    reviewer.answer = async () => refusal;
    await authenticator.ready();
    reviewer.answer = () => Promise.reject(down);
    expect(await authenticator.authenticate(token)).toMatchObject({ name: 'web' });
  });

  test('the first verdict after the outage renews the identity', async () => {
    const { authenticator, clock, reviewer, token } = await lapsed(30_000);
    reviewer.answer = () => Promise.reject(down);
    const stale = await authenticator.authenticate(token);
    reviewer.answer = async () => podReview();
    const fresh = await authenticator.authenticate(token);
    expect(fresh.reviewedAt).toBe(clock.now());
    expect(stale.reviewedAt).toBe(clock.now() - 60_000);
    expect(authenticator.cached(token)).toBe(fresh);
  });

  test('a closed authenticator serves nobody', async () => {
    const { authenticator, token } = await lapsed(30_000);
    await authenticator.close();
    expect(await caught(authenticator.authenticate(token))).toMatchObject({ code: 'authenticator_closed' });
  });
});
