import { BrokenCircuitError } from 'cockatiel';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { UnavailabilityCode } from '../../src/authentication/errors.ts';
import { Unavailability } from '../../src/authentication/reviewer.ts';
import { withDeadline } from '../../src/kubernetes/deadline.ts';
import { QueueFull } from '../../src/kubernetes/fair-queue.ts';
import { ReviewPolicy } from '../../src/kubernetes/review-policy.ts';
import { caught } from '../support/caught.ts';
import { settled } from '../support/settled.ts';

const limits = { maxConcurrent: 100, maxQueued: 100 };
const share = ['verified', 'shop', 'web', 'uid-of-web-1'];
const most = (): number => 1;
const least = (): number => 0;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

const unavailable = (code: UnavailabilityCode, retryAfterSeconds?: number): Unavailability =>
  new Unavailability(code, code, retryAfterSeconds);

/** Runs an attempt under the policy; tells when each try began, and how it ended after how long. */
async function run(
  policy: ReviewPolicy,
  attempt: (index: number) => Promise<unknown>,
  timeoutMs = 3_000,
): Promise<{ readonly triedAt: number[]; readonly outcome: unknown; readonly tookMs: number }> {
  const began = performance.now();
  const triedAt: number[] = [];
  let tookMs = -1;
  const outcome = withDeadline(timeoutMs, 0, (deadline) =>
    policy.execute(
      () => {
        triedAt.push(Math.round(performance.now() - began));
        return attempt(triedAt.length);
      },
      deadline,
      share,
    ),
  )
    .catch((error: unknown) => error)
    .finally(() => {
      tookMs = Math.round(performance.now() - began);
    });
  await jest.advanceTimersByTimeAsync(timeoutMs);
  return { triedAt, outcome: await outcome, tookMs };
}

describe('what may have passed a moment later is tried again', () => {
  test.each<[UnavailabilityCode]>([['api_server_unreachable'], ['api_server_overloaded']])(
    '%s: three times, after 0.1, 0.2 and 0.4 s at most and half of that at least, and then it is told',
    async (code) => {
      const error = unavailable(code);
      expect(await run(new ReviewPolicy(limits, most), () => Promise.reject(error))).toEqual({
        triedAt: [0, 100, 300, 700],
        outcome: error,
        tookMs: 700,
      });
      expect(await run(new ReviewPolicy(limits, least), () => Promise.reject(error))).toEqual({
        triedAt: [0, 50, 150, 350],
        outcome: error,
        tookMs: 350,
      });
    },
  );

  test('until it succeeds', async () => {
    const { triedAt, outcome } = await run(new ReviewPolicy(limits, most), async (index) => {
      if (index < 3) throw unavailable('api_server_unreachable');
      return 'verdict';
    });
    expect([triedAt, outcome]).toEqual([[0, 100, 300], 'verdict']);
  });

  test('and nothing else is', async () => {
    const policy = new ReviewPolicy(limits, most);
    const others: readonly UnavailabilityCode[] = [
      'configuration_invalid',
      'credential_unreadable',
      'reviewer_unauthenticated',
      'reviewer_forbidden',
      'api_server_timeout',
      'api_server_error',
      'answer_invalid',
      'reviewer_failed',
    ];
    for (const error of [...others.map((code) => unavailable(code)), new Error('a bug'), 'a string', undefined]) {
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- it is what is tested
      expect(await run(policy, () => Promise.reject(error))).toEqual({ triedAt: [0], outcome: error, tookMs: 0 });
    }
  });

  test('a first failure of one kind and a second of another end with the second', async () => {
    const { triedAt, outcome } = await run(new ReviewPolicy(limits, most), async (index) => {
      throw unavailable(index === 1 ? 'api_server_unreachable' : 'reviewer_forbidden');
    });
    expect([triedAt, outcome]).toEqual([[0, 100], expect.objectContaining({ code: 'reviewer_forbidden' })]);
  });

  test('each review backs off by itself, from the beginning', async () => {
    const policy = new ReviewPolicy(limits, most);
    const fail = (): Promise<never> => Promise.reject(unavailable('api_server_overloaded'));
    expect((await run(policy, fail)).triedAt).toEqual([0, 100, 300, 700]);
    expect((await run(policy, fail)).triedAt).toEqual([0, 100, 300, 700]);
  });
});

describe('Retry-After', () => {
  test('is waited for where it is longer than the backoff', async () => {
    const { triedAt, outcome } = await run(new ReviewPolicy(limits, most), async (index) => {
      if (index === 1) throw unavailable('api_server_overloaded', 2);
      return 'verdict';
    });
    expect([triedAt, outcome]).toEqual([[0, 2_000], 'verdict']);
  });

  test('longer than the caller may wait is given up at once, with the time that was asked for', async () => {
    const error = unavailable('api_server_overloaded', 3);
    expect(await run(new ReviewPolicy(limits, most), () => Promise.reject(error))).toEqual({
      triedAt: [0],
      outcome: error,
      tookMs: 0,
    });
  });

  test('longer than the caller waits still is given up at once too, and is no timeout', async () => {
    const error = unavailable('api_server_overloaded', 2);
    expect(await run(new ReviewPolicy(limits, most), () => Promise.reject(error))).toEqual({
      triedAt: [0, 2_000],
      outcome: error,
      tookMs: 2_000,
    });
  });
});

test('no timer outlives a review, not even one that its deadline ends in the middle of a pause', async () => {
  await run(new ReviewPolicy(limits, most), () => Promise.reject(unavailable('api_server_unreachable')), 250);
  await jest.advanceTimersByTimeAsync(100);
  expect(jest.getTimerCount()).toBe(0);
});

test('a review that its deadline ended in a pause is not tried again after it', async () => {
  let tries = 0;
  const fail = (): Promise<never> => {
    tries += 1;
    return Promise.reject(unavailable('api_server_unreachable'));
  };
  const { outcome } = await run(new ReviewPolicy(limits, most), fail, 250);
  await jest.advanceTimersByTimeAsync(10_000);
  expect([tries, outcome]).toEqual([2, expect.objectContaining({ code: 'api_server_timeout' })]);
});

describe('so many at once:', () => {
  test('past the running and the waiting ones it is refused at once', async () => {
    const policy = new ReviewPolicy({ maxConcurrent: 2, maxQueued: 3 }, most);
    const refused = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        const { outcome, tookMs } = await run(policy, () => new Promise(() => {}));
        return outcome instanceof QueueFull ? `${index}: after ${tookMs} ms` : undefined;
      }),
    );
    expect(refused.filter(Boolean)).toEqual(['5: after 0 ms', '6: after 0 ms', '7: after 0 ms']);
    expect(policy.hasSpareCapacity).toBe(false);
  });

  test('a pause before a retry takes no turn from others', async () => {
    const policy = new ReviewPolicy({ maxConcurrent: 1, maxQueued: 1 }, most);
    const pausing = run(policy, () => Promise.reject(unavailable('api_server_overloaded', 2)));
    await settled();
    expect(policy.hasSpareCapacity).toBe(true);
    expect((await run(policy, async () => 'verdict')).outcome).toBe('verdict');
    await pausing;
  });

  test('what waited in vain makes room for those who come after it, all at once', async () => {
    const policy = new ReviewPolicy({ maxConcurrent: 2, maxQueued: 50 }, most);
    const attemptUntil = (passed: Promise<never>): Promise<never> =>
      // Not the timeout itself, ten of which open the circuit.
      passed.catch(() => Promise.reject(new Error('aborted')));
    const hang = (): Promise<unknown> =>
      caught(withDeadline(100, 0, (deadline) => policy.execute(() => attemptUntil(deadline.passed), deadline, share)));
    for (let round = 0; round < 3; round += 1) {
      const all = Array.from({ length: 52 }, hang);
      await jest.advanceTimersByTimeAsync(100);
      expect(await Promise.all(all)).toEqual(
        Array.from({ length: 52 }, () => expect.objectContaining({ code: 'api_server_timeout' })),
      );
      await settled();
    }
    expect(policy.hasSpareCapacity).toBe(true);
  });
});

describe('the circuit', () => {
  const fail = (code: UnavailabilityCode) => (): Promise<never> => Promise.reject(unavailable(code, 60));

  async function fails(policy: ReviewPolicy, times: number, code: UnavailabilityCode): Promise<void> {
    for (let index = 0; index < times; index += 1) await run(policy, fail(code), 1);
  }

  test.each<[UnavailabilityCode]>([['api_server_unreachable'], ['api_server_overloaded'], ['api_server_timeout']])(
    'opens with the tenth %s in a row, and then nothing is sent',
    async (code) => {
      jest.spyOn(Math, 'random').mockReturnValue(0.5);
      const policy = new ReviewPolicy(limits, most);
      await fails(policy, 9, code);
      expect([policy.circuit, policy.hasSpareCapacity]).toEqual(['closed', true]);
      await fails(policy, 1, code);
      expect([policy.circuit, policy.hasSpareCapacity]).toEqual(['open', false]);
      const { triedAt, outcome, tookMs } = await run(policy, async () => 'verdict', 1);
      expect([triedAt, tookMs]).toEqual([[], 0]);
      expect(outcome).toBeInstanceOf(BrokenCircuitError);
    },
  );

  test('is left alone for 10 s at most, however far the wall clock is set back meanwhile', async () => {
    const policy = new ReviewPolicy(limits, most);
    await fails(policy, 10, 'api_server_unreachable');
    jest.setSystemTime(Date.now() - 3_600_000);
    await jest.advanceTimersByTimeAsync(10_001);
    expect((await run(policy, async () => 'verdict', 1)).outcome).toBe('verdict');
    expect(policy.circuit).toBe('closed');
  });

  test('knows why it opened, though every review is still at its retries', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    const policy = new ReviewPolicy(limits, most);
    expect(policy.lastOutage).toBeUndefined();
    await fails(policy, 1, 'reviewer_forbidden');
    expect(policy.lastOutage).toBeUndefined();
    const error = unavailable('api_server_unreachable');
    const outcomes = Promise.all(
      Array.from({ length: 10 }, () =>
        caught(withDeadline(3_000, 0, (deadline) => policy.execute(() => Promise.reject(error), deadline, share))),
      ),
    );
    await jest.advanceTimersByTimeAsync(100);
    expect(new Set((await outcomes).map((outcome) => (outcome as Error).constructor))).toEqual(
      new Set([BrokenCircuitError]),
    );
    expect(policy.lastOutage).toBe(error);
  });

  test('counts each try of one review', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    const policy = new ReviewPolicy(limits, most);
    const failsAlways = (): Promise<never> => Promise.reject(unavailable('api_server_unreachable'));
    await run(policy, failsAlways);
    await run(policy, failsAlways);
    const { triedAt, outcome } = await run(policy, failsAlways);
    expect(triedAt).toHaveLength(2);
    expect(outcome).toBeInstanceOf(BrokenCircuitError);
  });

  test('stays closed whatever is wrong with us, and however often', async () => {
    const policy = new ReviewPolicy(limits, most);
    for (const code of [
      'configuration_invalid',
      'credential_unreadable',
      'reviewer_unauthenticated',
      'reviewer_forbidden',
      'api_server_error',
      'answer_invalid',
      'reviewer_failed',
    ] as const) {
      await fails(policy, 20, code);
    }
    expect(policy.circuit).toBe('closed');
  });

  test('counts in a row only: one answer between two outages of nine, whatever it says, and it stays closed', async () => {
    const policy = new ReviewPolicy(limits, most);
    await fails(policy, 9, 'api_server_timeout');
    await run(policy, async () => ({ authenticated: false }), 1);
    await fails(policy, 9, 'api_server_timeout');
    expect(policy.circuit).toBe('closed');
  });

  async function opened(): Promise<ReviewPolicy> {
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    const policy = new ReviewPolicy(limits, most);
    await fails(policy, 10, 'api_server_timeout');
    return policy;
  }

  test('after a pause lets one review try; while it does the others wait, and when it succeeds all go on', async () => {
    const policy = await opened();
    await jest.advanceTimersByTimeAsync(1_000);
    let succeed: ((value: string) => void) | undefined;
    const probe = withDeadline(3_000, 0, (deadline) =>
      policy.execute(
        () =>
          new Promise<string>((resolve) => {
            succeed = resolve;
          }),
        deadline,
        share,
      ),
    );
    let others = 0;
    const waiting = withDeadline(3_000, 0, (deadline) =>
      policy.execute(
        async () => {
          others += 1;
          return 'other';
        },
        deadline,
        share,
      ),
    );
    await settled();
    expect([policy.circuit, policy.hasSpareCapacity, others]).toEqual(['half_open', false, 0]);
    succeed?.('probe');
    expect(await Promise.all([probe, waiting])).toEqual(['probe', 'other']);
    expect([policy.circuit, policy.hasSpareCapacity]).toEqual(['closed', true]);
  });

  test.each<[string, () => Promise<unknown>]>([
    ['a verdict', async () => 'verdict'],
    ['an answer that is about us', fail('reviewer_forbidden')],
  ])('closes with %s', async (_, attempt) => {
    const policy = await opened();
    await jest.advanceTimersByTimeAsync(1_000);
    await run(policy, attempt, 1);
    expect(policy.circuit).toBe('closed');
  });

  describe('and reviews that waited for their turn until little time was left:', () => {
    /** So many that each begin their one try with so much of 3 s left, and fail. */
    async function hurriedFails(
      policy: ReviewPolicy,
      count: number,
      leftMs: number,
      code: UnavailabilityCode,
    ): Promise<void> {
      for (let index = 0; index < count; index += 1) {
        const times = [3_000, leftMs];
        const remainingMs = (): number => times.shift() ?? 0;
        const { signal } = new AbortController();
        await caught(policy.execute(() => Promise.reject(unavailable(code, 60)), { signal, remainingMs }, share));
      }
    }

    test('their timeouts open nothing, however many there are', async () => {
      const policy = new ReviewPolicy(limits, most);
      await hurriedFails(policy, 100, 1_499, 'api_server_timeout');
      expect([policy.circuit, policy.lastOutage]).toEqual(['closed', undefined]);
      await hurriedFails(policy, 10, 1_500, 'api_server_timeout');
      expect(policy.circuit).toBe('open');
    });

    test('their refused connections count like any', async () => {
      const policy = new ReviewPolicy(limits, most);
      await hurriedFails(policy, 10, 100, 'api_server_unreachable');
      expect(policy.circuit).toBe('open');
    });

    test('the one that tries whether the server is back opens it again by its timeout', async () => {
      const policy = await opened();
      await jest.advanceTimersByTimeAsync(1_000);
      await hurriedFails(policy, 1, 100, 'api_server_timeout');
      expect(policy.circuit).toBe('open');
    });
  });

  describe('is not opened again by reviews that began before it last opened or closed', () => {
    /** Ten reviews that open the circuit, and as many that began with them and still hang. */
    async function openedWithTenHanging(): Promise<{ policy: ReviewPolicy; endHanging: () => Promise<void> }> {
      jest.spyOn(Math, 'random').mockReturnValue(0.5);
      const policy = new ReviewPolicy(limits, most);
      const { promise, reject } = Promise.withResolvers<never>();
      const hanging = Array.from({ length: 10 }, () =>
        caught(withDeadline(10_000, 0, (deadline) => policy.execute(() => promise, deadline, share))),
      );
      await fails(policy, 10, 'api_server_timeout');
      await jest.advanceTimersByTimeAsync(1_000);
      return {
        policy,
        endHanging: async () => {
          reject(unavailable('api_server_timeout'));
          await Promise.all(hanging);
        },
      };
    }

    test('once it has closed', async () => {
      const { policy, endHanging } = await openedWithTenHanging();
      await run(policy, async () => 'verdict', 1);
      expect(policy.circuit).toBe('closed');
      await endHanging();
      expect(policy.circuit).toBe('closed');
    });

    test('while it tries', async () => {
      const { policy, endHanging } = await openedWithTenHanging();
      const { promise, resolve } = Promise.withResolvers<string>();
      const probe = withDeadline(3_000, 0, (deadline) => policy.execute(() => promise, deadline, share));
      await settled();
      await endHanging();
      expect(policy.circuit).toBe('half_open');
      resolve('verdict');
      expect(await probe).toBe('verdict');
      expect(policy.circuit).toBe('closed');
    });
  });

  test('opens again when the try fails, or is not answered, for longer each time, but never for more than 10 s', async () => {
    const policy = await opened();
    const pauses: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      let pause = 0;
      let probes = 0;
      while (probes === 0) {
        await jest.advanceTimersByTimeAsync(100);
        pause += 100;
        await run(
          policy,
          () => {
            probes += 1;
            return fail(round % 2 === 0 ? 'api_server_timeout' : 'api_server_unreachable')();
          },
          1,
        );
      }
      expect(policy.circuit).toBe('open');
      pauses.push(pause);
    }
    expect(pauses[0]).toBeLessThan(1_500);
    expect(pauses[2]).toBeGreaterThan(pauses[0] ?? Infinity);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(10_100);
    expect(pauses.at(-1)).toBeGreaterThan(9_000);
    await jest.advanceTimersByTimeAsync(10_000);
    expect((await run(policy, async () => 'verdict', 1)).outcome).toBe('verdict');
    expect(policy.circuit).toBe('closed');
  });
});

test('errors that a stranger throws reach whoever waits as they are', async () => {
  const bug = new TypeError('a bug');
  const policy = new ReviewPolicy(limits);
  expect(
    await caught(withDeadline(100, 0, (deadline) => policy.execute(() => Promise.reject(bug), deadline, share))),
  ).toBe(bug);
});
