import { expect, test } from '@jest/globals';
import { RevokedUids } from '../../src/authentication/revoked-uids.ts';
import { FakeClock } from '../support/fake-clock.ts';

const retentionMs = 660_000;

test('a uid is remembered for its time at least, however many follow it, and twice that at most', () => {
  const clock = new FakeClock();
  const revoked = new RevokedUids(retentionMs, clock);
  revoked.add('first', 0);
  for (let second = 1; second <= retentionMs / 1_000; second += 1) {
    clock.advance(1_000);
    revoked.add(`uid-${second}`, 0);
  }
  expect(revoked.refusedFrom('first')).toBe(0);
  const untouched = new RevokedUids(retentionMs, clock);
  untouched.add('first', 0);
  for (const uid of ['second', 'third']) {
    clock.advance(retentionMs);
    untouched.add(uid, 0);
  }
  expect([untouched.refusedFrom('first'), untouched.refusedFrom('second')]).toEqual([undefined, 0]);
  expect(untouched.completeSince).toBe(Number.NEGATIVE_INFINITY);
});

test('a uid that is asked about goes on being remembered', () => {
  const clock = new FakeClock();
  const revoked = new RevokedUids(retentionMs, clock);
  revoked.add('first', 0);
  for (let index = 0; index < 10; index += 1) {
    clock.advance(retentionMs);
    revoked.add(`uid-${index}`, 0);
    expect(revoked.refusedFrom('first')).toBe(0);
  }
});

test('an earlier refusal wins over a later one, whichever comes first', () => {
  const clock = new FakeClock();
  const revoked = new RevokedUids(retentionMs, clock);
  revoked.add('terminating', clock.now() + 60_000);
  revoked.add('terminating', 0);
  revoked.add('gone', 0);
  revoked.add('gone', clock.now() + 60_000);
  revoked.add('sooner', clock.now() + 30_000);
  revoked.add('sooner', clock.now() + 60_000);
  expect([revoked.refusedFrom('terminating'), revoked.refusedFrom('gone')]).toEqual([0, 0]);
  expect(revoked.refusedFrom('sooner')).toBe(clock.now() + 30_000);
});

test('it holds no more than its maximum, and tells from when on it is complete once some had to go early', () => {
  const clock = new FakeClock();
  const revoked = new RevokedUids(retentionMs, clock, 100);
  for (let index = 0; index < 100; index += 1) revoked.add(`uid-${index}`, 0);
  expect([revoked.size, revoked.completeSince]).toEqual([100, Number.NEGATIVE_INFINITY]);
  clock.advance(1_000);
  const secondGeneration = clock.monotonic() - 1_000;
  revoked.add('one-more', 0);
  expect([revoked.refusedFrom('uid-0'), revoked.refusedFrom('uid-50')]).toEqual([undefined, 0]);
  expect(revoked.completeSince).toBe(secondGeneration);
  for (let index = 0; index < 10_000; index += 1) revoked.add(`more-${index}`, 0);
  expect(revoked.size).toBeLessThanOrEqual(100);
  expect(revoked.completeSince).toBe(clock.monotonic());
});

test('what terminates slowly is remembered until it is refused, and as long from then on as all else', () => {
  const clock = new FakeClock();
  const revoked = new RevokedUids(retentionMs, clock);
  const from = clock.now() + 3 * retentionMs + 1;
  revoked.add('slow', from);
  for (let index = 0; index < 4; index += 1) {
    clock.advance(retentionMs - 1);
    revoked.add(`uid-${index}`, 0);
    clock.advance(1);
    revoked.add(`uid-${index}-too`, 0);
  }
  expect(revoked.refusedFrom('slow')).toBe(from);
});

test('as many that terminate slowly as there is room for do not make it grow', () => {
  const clock = new FakeClock();
  const revoked = new RevokedUids(retentionMs, clock, 100);
  for (let generation = 0; generation < 10; generation += 1) {
    for (let index = 0; index < 45; index += 1) revoked.add(`${generation}-${index}`, clock.now() + 1e9);
    clock.advance(retentionMs);
  }
  expect(revoked.size).toBeLessThanOrEqual(150);
  expect(revoked.completeSince).toBeGreaterThan(0);
});

test('asking about what is not gone remembers nothing of it', () => {
  const uids = new RevokedUids(1_000, new FakeClock());
  expect([uids.refusedFrom('uid'), uids.size]).toEqual([undefined, 0]);
});
