import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { TokenBucket } from '../../src/authentication/token-bucket.ts';
import { FakeClock } from '../support/fake-clock.ts';

const taken = (bucket: TokenBucket, tries: number): number =>
  Array.from({ length: tries }, () => bucket.take()).filter(Boolean).length;

test('allows its burst at once, then nothing', () => {
  expect(taken(new TokenBucket({ burst: 50, perSecond: 10 }, new FakeClock()), 1_000)).toBe(50);
});

test('refills evenly, by the clock that never jumps', () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket({ burst: 50, perSecond: 10 }, clock);
  taken(bucket, 50);
  clock.advanceWall(1e9);
  expect(bucket.take()).toBe(false);
  clock.advanceMonotonic(99);
  expect(bucket.take()).toBe(false);
  clock.advanceMonotonic(1);
  expect([bucket.take(), bucket.take()]).toEqual([true, false]);
  clock.advanceMonotonic(1_000);
  expect(taken(bucket, 100)).toBe(10);
});

test('never holds more than its burst, however long nobody asks', () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket({ burst: 50, perSecond: 10 }, clock);
  clock.advance(3_600_000);
  expect(taken(bucket, 1_000)).toBe(50);
});

test('whoever asks and however often, at most the burst and the rate come through, and no less', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3_000), { minLength: 1, maxLength: 200 }), (pauses) => {
      const clock = new FakeClock();
      const bucket = new TokenBucket({ burst: 5, perSecond: 10 }, clock);
      let passed = 0;
      let through = 0;
      for (const pause of pauses) {
        clock.advance(pause);
        passed += pause;
        through += taken(bucket, 100);
      }
      const most = 5 + passed / 100;
      return through <= most + 1e-6 && through >= Math.min(5, most) - 1;
    }),
  );
});

test('leaves a reserve to those who may take it', () => {
  const bucket = new TokenBucket({ burst: 50, perSecond: 10 }, new FakeClock());
  const beforeReserve = Array.from({ length: 100 }, () => bucket.take(20)).filter(Boolean).length;
  expect([beforeReserve, taken(bucket, 100)]).toEqual([30, 20]);
});

test('holds again what is given back, but never more than its burst', () => {
  const bucket = new TokenBucket({ burst: 2, perSecond: 1 }, new FakeClock());
  taken(bucket, 2);
  expect(bucket.isEmpty).toBe(true);
  bucket.giveBack();
  expect([bucket.isEmpty, taken(bucket, 5)]).toEqual([false, 1]);
  for (let index = 0; index < 10; index += 1) bucket.giveBack();
  expect(taken(bucket, 5)).toBe(2);
});

test('owes what is charged past its burst, and has nothing until that is refilled', () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket({ burst: 2, perSecond: 1 }, clock);
  for (let index = 0; index < 5; index += 1) bucket.charge();
  clock.advance(3_000);
  expect([bucket.isEmpty, bucket.take()]).toEqual([true, false]);
  clock.advance(1_000);
  expect([bucket.isEmpty, bucket.take(), bucket.take()]).toEqual([false, true, false]);
});

test('is empty until it has refilled', () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket({ burst: 2, perSecond: 1 }, clock);
  taken(bucket, 2);
  clock.advance(999);
  expect(bucket.isEmpty).toBe(true);
  clock.advance(1);
  expect(bucket.isEmpty).toBe(false);
});
