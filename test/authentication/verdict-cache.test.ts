import { expect, test } from '@jest/globals';
import type { IdentityTerm } from '../../src/authentication/term.ts';
import { type IdentityKeeping, VerdictCache } from '../../src/authentication/verdict-cache.ts';
import type { Rejected } from '../../src/authentication/verdict.ts';
import { fakeIdentity } from '../../src/testing/fake-identity.ts';
import { FakeClock } from '../support/fake-clock.ts';

const identity = fakeIdentity('shop/web');
const rejection: Rejected = { rejected: 'token_refused', reason: 'expired' };
const keptByReviewsAlone: IdentityKeeping = { uidsOf: () => [], prolong: () => false };
const termOf = (clock: FakeClock, ms: number, staleMs = 0): IdentityTerm => ({
  reviewedAt: clock.monotonic(),
  draw: 0,
  refreshFrom: clock.monotonic() + ms - 1,
  usableUntil: clock.monotonic() + ms,
  staleUntil: clock.monotonic() + ms + staleMs,
  expiresAtSeconds: undefined,
});

test('keeps an identity for its term, and forgets it when asked after it', () => {
  const clock = new FakeClock();
  const cache = new VerdictCache(10, clock, keptByReviewsAlone);
  cache.keepIdentity('key', identity, termOf(clock, 1_000));
  clock.advance(999);
  expect(cache.identity('key')?.identity).toBe(identity);
  clock.advance(1);
  expect(cache.identity('key')).toBeUndefined();
  expect(cache.sizes).toEqual({ identities: 0, rejections: 0 });
});

test('a lapsed identity is kept only for as long as it may bridge an outage, and serves nothing else', () => {
  const clock = new FakeClock();
  const cache = new VerdictCache(10, clock, keptByReviewsAlone);
  cache.keepIdentity('key', identity, termOf(clock, 1_000, 500));
  expect(cache.bridgingIdentity('key')).toBe(identity);
  clock.advance(1_000);
  expect([cache.identity('key'), cache.bridgingIdentity('key')]).toEqual([undefined, identity]);
  clock.advance(499);
  expect([cache.identity('key'), cache.bridgingIdentity('key')]).toEqual([undefined, identity]);
  clock.advance(1);
  expect(cache.bridgingIdentity('key')).toBeUndefined();
  expect(cache.identity('key')).toBeUndefined();
  expect(cache.sizes).toEqual({ identities: 0, rejections: 0 });
});

test('an expired identity bridges nothing, however long it might be stale', () => {
  const clock = new FakeClock();
  const cache = new VerdictCache(10, clock, keptByReviewsAlone);
  cache.keepIdentity('key', identity, { ...termOf(clock, 1_000, 5_000), expiresAtSeconds: clock.now() / 1_000 + 2 });
  clock.advance(1_999);
  expect(cache.bridgingIdentity('key')).toBe(identity);
  clock.advanceWall(1);
  expect(cache.bridgingIdentity('key')).toBeUndefined();
});

test('an identity that was never usable may still bridge an outage', () => {
  const clock = new FakeClock();
  const cache = new VerdictCache(10, clock, keptByReviewsAlone);
  cache.keepIdentity('key', identity, termOf(clock, 0, 500));
  expect([cache.identity('key'), cache.bridgingIdentity('key')]).toEqual([undefined, identity]);
});

test('a rejected identity bridges nothing, and an unknown one neither', () => {
  const clock = new FakeClock();
  const cache = new VerdictCache(10, clock, keptByReviewsAlone);
  cache.keepIdentity('key', identity, termOf(clock, 1_000, 500));
  cache.keepRejection('key', rejection, 0);
  expect([cache.bridgingIdentity('key'), cache.bridgingIdentity('other')]).toEqual([undefined, undefined]);
});

test('keeps a rejection for its age, and forgets it when asked after it', () => {
  const clock = new FakeClock();
  const cache = new VerdictCache(10, clock, keptByReviewsAlone);
  cache.keepRejection('key', rejection, 1_000);
  clock.advance(999);
  expect(cache.rejection('key')).toBe(rejection);
  clock.advance(1);
  expect(cache.rejection('key')).toBeUndefined();
  expect(cache.sizes).toEqual({ identities: 0, rejections: 0 });
});

test('keeps nothing that is over already', () => {
  const clock = new FakeClock();
  const cache = new VerdictCache(10, clock, keptByReviewsAlone);
  cache.keepIdentity('key', identity, termOf(clock, 0));
  cache.keepRejection('other', rejection, 0);
  expect(cache.sizes).toEqual({ identities: 0, rejections: 0 });
});

test('a verdict takes the place of the opposite one', () => {
  const clock = new FakeClock();
  const cache = new VerdictCache(10, clock, keptByReviewsAlone);
  cache.keepIdentity('key', identity, termOf(clock, 1_000));
  cache.keepRejection('key', rejection, 1_000);
  expect([cache.identity('key'), cache.rejection('key')]).toEqual([undefined, rejection]);
  cache.keepIdentity('key', identity, termOf(clock, 1_000));
  expect([cache.identity('key')?.identity, cache.rejection('key')]).toEqual([identity, undefined]);
});

test('a rejection evicts its identity even where rejections are not remembered', () => {
  const clock = new FakeClock();
  const cache = new VerdictCache(10, clock, keptByReviewsAlone);
  cache.keepIdentity('key', identity, termOf(clock, 1_000));
  cache.keepRejection('key', rejection, 0);
  expect(cache.identity('key')).toBeUndefined();
});

test('a flood of 20,000 rejections evicts no identity, and is bounded itself', () => {
  const clock = new FakeClock();
  const cache = new VerdictCache(100, clock, keptByReviewsAlone);
  for (let index = 0; index < 100; index += 1) cache.keepIdentity(`good-${index}`, identity, termOf(clock, 1_000));
  for (let index = 0; index < 20_000; index += 1) cache.keepRejection(`bad-${index}`, rejection, 1_000);
  expect(cache.sizes).toEqual({ identities: 100, rejections: 100 });
});

test('where there are too many identities, the one that was not used for longest goes', () => {
  const clock = new FakeClock();
  const cache = new VerdictCache(2, clock, keptByReviewsAlone);
  cache.keepIdentity('first', identity, termOf(clock, 1_000));
  cache.keepIdentity('second', identity, termOf(clock, 1_000));
  cache.identity('first');
  cache.keepIdentity('third', identity, termOf(clock, 1_000));
  expect(['first', 'second', 'third'].filter((key) => cache.identity(key))).toEqual(['first', 'third']);
});

test('knows whom a review vouched for last, long after the term, and until a review refuses or too many others come', () => {
  const clock = new FakeClock();
  const cache = new VerdictCache(2, clock, keptByReviewsAlone);
  cache.keepIdentity('good', identity, termOf(clock, 1_000));
  cache.keepIdentity('never usable', identity, termOf(clock, 0));
  clock.advance(3_600_000);
  expect(cache.identity('good')).toBeUndefined();
  expect(['good', 'never usable', 'unheard of'].map((key) => cache.wasVouchedFor(key))).toEqual([true, true, false]);
  cache.keepRejection('good', rejection, 0);
  expect(cache.wasVouchedFor('good')).toBe(false);
  const others = ['one', 'two', 'three', 'four'];
  for (const key of others) cache.keepIdentity(key, identity, termOf(clock, 1_000));
  expect(others.map((key) => cache.wasVouchedFor(key))).toEqual([true, true, true, true]);
  expect(cache.wasVouchedFor('never usable')).toBe(false);
  cache.clear();
  expect(cache.wasVouchedFor('one')).toBe(false);
});

test('cleared, it knows nothing', () => {
  const clock = new FakeClock();
  const cache = new VerdictCache(2, clock, keptByReviewsAlone);
  cache.keepIdentity('good', identity, termOf(clock, 1_000));
  cache.keepRejection('bad', rejection, 1_000);
  cache.clear();
  expect(cache.sizes).toEqual({ identities: 0, rejections: 0 });
  expect([cache.identity('good'), cache.rejection('bad')]).toEqual([undefined, undefined]);
});

test('finds identities by the uids that end them, and holds nothing of those that were evicted or replaced', () => {
  const clock = new FakeClock();
  const [one, two, three] = ['one', 'two', 'three'].map((pod) => fakeIdentity('shop/web', { pod }));
  const uidsOf = ({ uid, pod }: typeof identity): string[] => [uid, ...(pod ? [pod.uid] : [])];
  const cache = new VerdictCache(3, clock, { uidsOf, prolong: () => false });
  const keep = (key: string, kept = identity): void => cache.keepIdentity(key, kept, termOf(clock, 1_000));
  keep('evicted', one);
  keep('key-1', one);
  keep('key-2', two);
  keep('key-2', three);
  keep('key-3', two);
  expect(cache.dropBoundTo(one?.pod?.uid ?? '')).toEqual([one]);
  expect([cache.identity('key-1'), cache.identity('key-2')?.identity]).toEqual([undefined, three]);
  expect(cache.dropBoundTo(identity.uid)).toEqual([three, two]);
  expect([cache.sizes.identities, cache.dropBoundTo(identity.uid)]).toEqual([0, []]);
});

test('ends identities by uid at a time of the wall clock, never later than they would have', () => {
  const clock = new FakeClock();
  const cache = new VerdictCache(10, clock, { uidsOf: ({ uid }) => [uid], prolong: () => false });
  cache.keepIdentity('key', identity, termOf(clock, 1_000));
  cache.endBoundTo(identity.uid, clock.now() + 1_000);
  cache.endBoundTo(identity.uid, clock.now() + 2_000);
  clock.advanceWall(999);
  expect(cache.identity('key')).toBeDefined();
  clock.advanceWall(1);
  expect(cache.identity('key')).toBeUndefined();
});

test('an identity whose term is over is served after all where a later proof of life prolongs it', () => {
  const clock = new FakeClock();
  let isProven = false;
  const cache = new VerdictCache(10, clock, {
    uidsOf: () => [],
    prolong: (entry) => {
      if (isProven) Object.assign(entry, termOf(clock, 1_000));
      return false;
    },
  });
  cache.keepIdentity('key', identity, termOf(clock, 1_000, 10_000));
  clock.advance(1_000);
  expect(cache.identity('key')).toBeUndefined();
  isProven = true;
  expect(cache.identity('key')?.identity).toBe(identity);
});
