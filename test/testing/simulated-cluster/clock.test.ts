import { performance } from 'node:perf_hooks';
import { describe, expect, jest, test } from '@jest/globals';
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

describe('after', () => {
  test('what was to happen in between happens before `advance` returns, in its order', () => {
    const clock = new SimulatedClock();
    const happened: string[] = [];
    clock.after(60_000, () => happened.push('later'));
    clock.after(30_000, () => happened.push('soon'));
    clock.after(90_000, () => happened.push('last'));
    clock.advance(60_000);
    expect(happened).toEqual(['soon', 'later']);
    clock.advance(30_000);
    expect(happened).toEqual(['soon', 'later', 'last']);
  });

  test('what is called off does not happen, even by what happens just before it', () => {
    const clock = new SimulatedClock();
    const happened: string[] = [];
    const callOff = clock.after(2_000, () => happened.push('second'));
    clock.after(1_000, () => {
      happened.push('first');
      callOff();
    });
    clock.advance(5_000);
    expect(happened).toEqual(['first']);
  });

  test('time passes by itself too', async () => {
    const clock = new SimulatedClock();
    await new Promise<void>((resolve) => {
      clock.after(20, resolve);
      // The timer keeps no process alive: something else has to.
      setTimeout(() => undefined, 1_000);
    });
    clock.after(3_600_000, () => undefined);
    clock.advance(3_599_990);
    await new Promise<void>((resolve) => clock.after(20, resolve));
  });

  test("what the system's timer brings too early waits", async () => {
    const clock = new SimulatedClock();
    const standingStill = jest.spyOn(performance, 'now').mockReturnValue(performance.now());
    const happens = Promise.withResolvers<void>();
    let hasHappened = false;
    clock.after(1, () => {
      hasHappened = true;
      happens.resolve();
    });
    for (let turns = 0; turns < 10; turns += 1) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(hasHappened).toBe(false);
    standingStill.mockRestore();
    await happens.promise;
  });

  test('what was due already, or is due long after, is no trouble', async () => {
    const clock = new SimulatedClock();
    let happened = 0;
    clock.after(2 ** 40, () => (happened += 1));
    await new Promise<void>((resolve) => clock.after(-5, resolve));
    expect(happened).toBe(0);
    clock.advance(2 ** 40);
    expect(happened).toBe(1);
  });
});
