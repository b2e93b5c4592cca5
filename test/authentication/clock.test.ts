import { expect, jest, test } from '@jest/globals';
import { systemClock } from '../../src/authentication/clock.ts';

test("the system's wall clock is Date.now", () => {
  const before = Date.now();
  expect(systemClock.now()).toBeGreaterThanOrEqual(before);
  expect(systemClock.now()).toBeLessThanOrEqual(Date.now());
});

test("the system's monotonic clock stays as it is when the wall clock is set", () => {
  const before = systemClock.monotonic();
  using _ = jest.spyOn(Date, 'now').mockReturnValue(0);
  expect(systemClock.now()).toBe(0);
  expect(systemClock.monotonic()).toBeGreaterThanOrEqual(before);
});
