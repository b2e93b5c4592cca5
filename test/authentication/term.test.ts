import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  identityTerm,
  isBridging,
  isUsable,
  type Lifetimes,
  prolongedTerm,
  rejectionAge,
} from '../../src/authentication/term.ts';
import { FakeClock } from '../support/fake-clock.ts';

const lifetimes: Lifetimes = {
  maxAgeMs: 60_000,
  absoluteMaxAgeMs: 600_000,
  staleIfUnavailableMs: 0,
  rejectionMaxAgeMs: 10_000,
};
const none = (): number => 0;
const most = (): number => 1 - Number.EPSILON;

describe('an identity may be used until the earliest of', () => {
  test('its last proof of life and the maximal age', () => {
    expect(identityTerm(1_000, 1_000, Infinity, lifetimes, none).usableUntil).toBe(61_000);
    expect(identityTerm(1_000, 200_000, Infinity, lifetimes, none).usableUntil).toBe(260_000);
  });

  test('its review and the absolute maximal age, however lately it was proven', () => {
    expect(identityTerm(1_000, 599_000, Infinity, lifetimes, none).usableUntil).toBe(601_000);
    expect(identityTerm(1_000, 541_000, Infinity, lifetimes, none).usableUntil).toBe(601_000);
  });

  test('its expiry on the wall clock, which knows no tolerance and no jitter', () => {
    const clock = new FakeClock();
    const term = identityTerm(clock.monotonic(), clock.monotonic(), clock.now() + 2_000, lifetimes, most);
    clock.advanceWall(1_999);
    expect(isUsable(term, clock)).toBe(true);
    clock.advanceWall(1);
    expect(isUsable(term, clock)).toBe(false);
  });
});

test('an identity expires by the wall clock while the monotonic one stands still', () => {
  const clock = new FakeClock();
  const term = identityTerm(clock.monotonic(), clock.monotonic(), clock.now() + 30_000, lifetimes, none);
  clock.advanceWall(30_000);
  expect(isUsable(term, clock)).toBe(false);
});

test('an identity ages by the monotonic clock while the wall clock stands still, or goes back', () => {
  const clock = new FakeClock();
  const term = identityTerm(clock.monotonic(), clock.monotonic(), clock.now() + 3_600_000, lifetimes, none);
  clock.advanceWall(-86_400_000);
  clock.advanceMonotonic(59_999);
  expect(isUsable(term, clock)).toBe(true);
  clock.advanceMonotonic(1);
  expect(isUsable(term, clock)).toBe(false);
});

test('an identity of a token without expiry only ages', () => {
  const clock = new FakeClock();
  const term = identityTerm(clock.monotonic(), clock.monotonic(), Infinity, lifetimes, none);
  clock.advanceWall(1e12);
  expect(isUsable(term, clock)).toBe(true);
});

test('jitter takes nothing with the lowest random number, and a tenth at most', () => {
  expect(identityTerm(0, 0, Infinity, lifetimes, none).usableUntil).toBe(60_000);
  expect(identityTerm(0, 0, Infinity, lifetimes, most).usableUntil).toBeCloseTo(54_000, 6);
  expect(identityTerm(0, 590_000, Infinity, lifetimes, most).usableUntil).toBe(540_001);
});

test('the part of a term in which a hit starts the next review is its last tenth to fifth', () => {
  expect(identityTerm(0, 0, Infinity, lifetimes, none).refreshFrom).toBe(54_000);
  expect(identityTerm(1_000_000, 1_000_000, Infinity, lifetimes, none).refreshFrom).toBe(1_054_000);
  const { refreshFrom, usableUntil } = identityTerm(0, 0, Infinity, lifetimes, most);
  expect(refreshFrom / usableUntil).toBeCloseTo(0.8, 6);
});

test('after a proof of life by the watch the next review spreads over the time in which the next proof is missing', () => {
  const term = (random: () => number) => identityTerm(0, 100_000, Infinity, lifetimes, random);
  expect([term(none).refreshFrom, term(none).usableUntil]).toEqual([159_400, 160_000]);
  expect(term(most).refreshFrom).toBeCloseTo(130_600, 6);
  expect(term(most).usableUntil).toBe(160_000);
});

test('near the end of its ten minutes an identity is reviewed, however lately it was proven', () => {
  expect(identityTerm(0, 590_000, Infinity, lifetimes, none)).toMatchObject({
    refreshFrom: 540_000,
    usableUntil: 600_000,
  });
  expect(identityTerm(0, 590_000, Infinity, lifetimes, most).refreshFrom).toBe(432_003);
});

test('a term that is prolonged is the one that it would have been with the later proof from the start', () => {
  const draws = [0.3, 0.7];
  const random = (): number => draws.shift() ?? Number.NaN;
  const first = identityTerm(1_000, 1_000, 5e12, lifetimes, random);
  draws.push(0.3, 0.7);
  expect(prolongedTerm(first, 90_000, lifetimes)).toEqual(identityTerm(1_000, 90_000, 5e12, lifetimes, random));
});

test('a term holds nothing but small integers, whatever its times are', () => {
  const term = identityTerm(1_000.25, 1_000.25, 1_800_000_000_999, lifetimes, () => 0.123);
  const isSmall = (value: number): boolean => Number.isInteger(value) && value < 2 ** 31;
  expect(Object.entries(term).filter(([, value]) => !isSmall(value as number))).toEqual([]);
});

test('whatever is random, a term ends never late, never more than a tenth early, and its refresh lies within it', () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(random, random, fc.nat(700_000), (first, second, proven) => {
      const values = [first, second];
      const term = identityTerm(0, proven, Infinity, lifetimes, () => values.shift() ?? Number.NaN);
      const latest = Math.min(proven + 60_000, 600_000);
      return (
        term.usableUntil <= latest &&
        term.usableUntil >= Math.min(proven + 54_000, 540_000) &&
        term.refreshFrom < term.usableUntil &&
        term.refreshFrom >= Math.min(432_000, proven === 0 ? term.usableUntil * 0.79 : proven + 30_000)
      );
    }),
  );
});

test('no identity bridges an outage once it expires', () => {
  const clock = new FakeClock();
  const staleLong = { ...lifetimes, staleIfUnavailableMs: 600_000 };
  const term = identityTerm(clock.monotonic(), clock.monotonic(), clock.now() + 2_000, staleLong, none);
  clock.advanceWall(1_999);
  expect(isBridging(term, clock)).toBe(true);
  clock.advanceWall(1);
  expect(isBridging(term, clock)).toBe(false);
});

test('with a maximal age of 0 an identity is never usable', () => {
  const clock = new FakeClock();
  const started = clock.monotonic();
  const term = identityTerm(started, started, Infinity, { ...lifetimes, maxAgeMs: 0 }, none);
  expect(isUsable(term, clock)).toBe(false);
});

describe('a rejection is remembered', () => {
  const now = 1_800_000_000_000;

  test.each([
    ['issued now', now],
    ['issued 59.999 s ago', now - 59_999],
    ['issued ahead of our clock', now + 30_000],
  ])('for 1 s of a token %s, as another replica may not know it yet', (_, issuedAt) => {
    expect(rejectionAge(issuedAt, now, lifetimes)).toBe(1_000);
  });

  test.each([
    ['issued 60 s ago', now - 60_000],
    ['that does not say when it was issued', undefined],
  ])('for 10 s of a token %s', (_, issuedAt) => {
    expect(rejectionAge(issuedAt, now, lifetimes)).toBe(10_000);
  });

  test('never for longer than configured', () => {
    expect(rejectionAge(now, now, { ...lifetimes, rejectionMaxAgeMs: 200 })).toBe(200);
    expect(rejectionAge(now, now, { ...lifetimes, rejectionMaxAgeMs: 0 })).toBe(0);
  });
});

describe('while nobody can say, an identity may be used past its term', () => {
  const bridged = (staleIfUnavailableMs: number, clock: FakeClock, expiresAt = Infinity): boolean[] => {
    const stale = { ...lifetimes, staleIfUnavailableMs };
    const term = identityTerm(clock.monotonic(), clock.monotonic(), expiresAt, stale, none);
    const at = (ms: number): boolean => {
      const then = new FakeClock();
      then.advance(ms);
      return isBridging(term, then);
    };
    return [0, 59_999, 60_000, 69_999, 70_000].map(at);
  };

  test('not at all by default', () => {
    expect(bridged(0, new FakeClock())).toEqual([true, true, false, false, false]);
  });

  test('for as long as configured', () => {
    expect(bridged(10_000, new FakeClock())).toEqual([true, true, true, true, false]);
  });

  test('never past its expiry', () => {
    const clock = new FakeClock();
    expect(bridged(10_000, clock, clock.now() + 61_000)).toEqual([true, true, true, false, false]);
  });

  test('counted from the end of its jittered term, and from that of ten minutes', () => {
    const stale = { ...lifetimes, staleIfUnavailableMs: 10_000 };
    expect(identityTerm(0, 0, Infinity, stale, most).staleUntil).toBeCloseTo(64_000, 6);
    expect(identityTerm(0, 590_000, Infinity, stale, none).staleUntil).toBe(610_000);
  });
});
