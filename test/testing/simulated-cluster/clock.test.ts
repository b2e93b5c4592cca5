import { expect, test } from '@jest/globals';
import { SimulatedClock } from '../../../src/testing/simulated-cluster/clock.ts';

test('starts at real time', () => {
  expect(Math.abs(new SimulatedClock().now() - Date.now())).toBeLessThan(1000);
});

test('moves wall-clock and monotonic time by the same amount', () => {
  const clock = new SimulatedClock();
  const [now, monotonic] = [clock.now(), clock.monotonic()];
  clock.advance(3_600_000);

  expect(clock.now() - now).toBeGreaterThanOrEqual(3_600_000);
  expect(clock.now() - now).toBeLessThan(3_601_000);
  expect(clock.monotonic() - monotonic).toBeGreaterThanOrEqual(3_600_000);
  expect(clock.monotonic() - monotonic).toBeLessThan(3_601_000);
});

test.each([-1, Number.NaN, Infinity])('never goes back or out of bounds: advance(%d) throws', (ms) => {
  expect(() => new SimulatedClock().advance(ms)).toThrow(RangeError);
});
