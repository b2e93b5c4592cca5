import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Unavailability } from '../../src/authentication/reviewer.ts';
import { BoundedReviewer, type ReviewFunction } from '../../src/kubernetes/bounded-reviewer.ts';
import type { ReviewLimits } from '../../src/kubernetes/review-policy.ts';
import { caught } from '../support/caught.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { settled } from '../support/settled.ts';
import { podToken } from '../support/tokens.ts';

const accepted = { status: { authenticated: true, user: { username: 'admin' }, audiences: ['orders'] } };
const limits: ReviewLimits = { timeoutMs: 3_000, maxConcurrent: 2, maxQueued: 2 };

const reviewerOf = (perform: ReviewFunction, changes: Partial<ReviewLimits> = {}): BoundedReviewer =>
  new BoundedReviewer(perform, ['orders'], { ...limits, ...changes }, () => {});

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'Date'] });
});
afterEach(() => {
  jest.useRealTimers();
});

/** A performer whose answers are given by hand; it does not heed its signal. */
function deaf(): { readonly perform: ReviewFunction; readonly answers: ((answer: unknown) => void)[] } {
  const answers: ((answer: unknown) => void)[] = [];
  const perform: ReviewFunction = () => new Promise((resolve) => answers.push(resolve));
  return { perform, answers };
}

test('performs a TokenReview of the token for the audiences, and reads the answer', async () => {
  const perform = jest.fn<ReviewFunction>(async () => accepted);
  expect(await reviewerOf(perform).review('token')).toMatchObject({ authenticated: true, username: 'admin' });
  expect(perform).toHaveBeenCalledTimes(1);
  expect(perform.mock.calls[0]).toEqual([
    { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'token', audiences: ['orders'] } },
    { signal: expect.any(AbortSignal) },
  ]);
});

describe('the deadline', () => {
  test('ends a review that is not answered, and tells the performer so', async () => {
    let signal: AbortSignal | undefined;
    const reviewer = reviewerOf((_, options) => {
      ({ signal } = options);
      return new Promise(() => {});
    });
    const failed = caught(reviewer.review('token'));
    await jest.advanceTimersByTimeAsync(2_999);
    expect(signal?.aborted).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(await failed).toMatchObject({ code: 'api_server_timeout', message: 'No answer within 3000 ms' });
    expect(signal?.aborted).toBe(true);
  });

  test('is api_server_timeout even where the performer fails of its signal', async () => {
    const reviewer = reviewerOf(
      (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('The operation was aborted')));
        }),
    );
    const failed = caught(reviewer.review('token'));
    await jest.advanceTimersByTimeAsync(3_000);
    expect(await failed).toMatchObject({ code: 'api_server_timeout' });
  });

  test('gives the turn of a performer that does not heed its signal to the next one', async () => {
    const { perform, answers } = deaf();
    const reviewer = reviewerOf(perform, { maxConcurrent: 1 });
    const first = caught(reviewer.review('first'));
    await jest.advanceTimersByTimeAsync(1_000);
    const second = reviewer.review('second');
    await jest.advanceTimersByTimeAsync(2_000);
    expect(await first).toMatchObject({ code: 'api_server_timeout' });
    expect(answers).toHaveLength(2);
    answers[1]?.(accepted);
    expect(await second).toMatchObject({ authenticated: true });
    expect(reviewer.hasSpareCapacity()).toBe(true);
  });

  test('counts the time a review waits for its turn, and one that waited too long is never sent', async () => {
    const { perform, answers } = deaf();
    const reviewer = reviewerOf(perform, { maxConcurrent: 1, timeoutMs: 1_000 });
    const first = caught(reviewer.review('first'));
    await jest.advanceTimersByTimeAsync(1);
    const waiting = caught(reviewer.review('second'));
    await jest.advanceTimersByTimeAsync(999);
    await first;
    await settled();
    expect(answers).toHaveLength(2);
    await jest.advanceTimersByTimeAsync(1);
    expect(await waiting).toMatchObject({ code: 'api_server_timeout' });
  });

  test('passing for all who wait at once stalls nobody who comes after them', async () => {
    const { perform, answers } = deaf();
    const reviewer = reviewerOf(perform, { maxConcurrent: 1 });
    const failed = Promise.all([1, 2, 3].map((index) => caught(reviewer.review(`${index}`))));
    await jest.advanceTimersByTimeAsync(3_000);
    expect(await failed).toEqual([1, 2, 3].map(() => expect.objectContaining({ code: 'api_server_timeout' })));
    await settled();
    expect(reviewer.hasSpareCapacity()).toBe(true);
    const next = [reviewer.review('token-a'), reviewer.review('token-b'), reviewer.review('token-c')];
    for (let count = 0; count < next.length; count += 1) {
      answers.at(-1)?.(accepted);
      await settled();
    }
    expect(await Promise.all(next)).toHaveLength(3);
  });

  test('leaves no timer behind, however a review ends', async () => {
    const reviewer = reviewerOf(async ({ spec }) => {
      if (spec.token === 'bad') throw new Error('no');
      return accepted;
    });
    await reviewer.review('good');
    await caught(reviewer.review('bad'));
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('concurrency', () => {
  test('is bounded: the others wait for their turn, in order', async () => {
    const { perform, answers } = deaf();
    const started: string[] = [];
    const reviewer = reviewerOf((review, options) => {
      started.push(review.spec.token);
      return perform(review, options);
    });
    const all = ['1', '2', '3', '4'].map((token) => reviewer.review(token));
    await settled();
    expect(started).toEqual(['1', '2']);
    expect(reviewer.hasSpareCapacity()).toBe(false);
    answers[1]?.(accepted);
    await all[1];
    await settled();
    expect(started).toEqual(['1', '2', '3']);
    for (const index of [0, 2, 3]) {
      answers[index]?.(accepted);
      await settled();
    }
    expect(await Promise.all(all)).toHaveLength(4);
    expect(started).toEqual(['1', '2', '3', '4']);
    expect(reviewer.hasSpareCapacity()).toBe(true);
  });

  test('past the queue it is review_queue_full at once', async () => {
    const { perform, answers } = deaf();
    const reviewer = reviewerOf(perform);
    const all = ['1', '2', '3', '4'].map((token) => caught(reviewer.review(token)));
    expect(await caught(reviewer.review('5'))).toMatchObject({ code: 'review_queue_full' });
    expect(answers).toHaveLength(2);
    await jest.advanceTimersByTimeAsync(3_000);
    expect(await Promise.all(all)).toHaveLength(4);
  });

  test('leaves no spare capacity once as many reviews run as may, though others could wait still', async () => {
    const { perform, answers } = deaf();
    const reviewer = reviewerOf(perform);
    const first = reviewer.review('1');
    expect(reviewer.hasSpareCapacity()).toBe(true);
    const second = reviewer.review('2');
    expect(reviewer.hasSpareCapacity()).toBe(false);
    await settled();
    for (const answer of answers) answer(accepted);
    await Promise.all([first, second]);
    expect(reviewer.hasSpareCapacity()).toBe(true);
  });

  test('has spare capacity again after reviews that failed', async () => {
    const reviewer = reviewerOf(() => {
      throw new Error('at once');
    });
    for (let index = 0; index < 5; index += 1) {
      expect(await caught(reviewer.review('t'))).toMatchObject({ code: 'reviewer_failed' });
    }
    expect(reviewer.hasSpareCapacity()).toBe(true);
  });
});

describe('a performer that fails', () => {
  const token = podToken(new FakeClock());
  test.each<[string, ReviewFunction, string]>([
    ['with an Error', () => Promise.reject(new Error('ECONNRESET')), 'The reviewer failed: ECONNRESET'],
    [
      'at once',
      () => {
        throw new TypeError('a bug');
      },
      'The reviewer failed: a bug',
    ],
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- it is what is tested
    ['with a string', () => Promise.reject('no'), 'The reviewer failed: no reason given'],
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- it is what is tested
    ['with nothing', () => Promise.reject(undefined), 'The reviewer failed: no reason given'],
    ['quoting the token', () => Promise.reject(new Error(`bad\n${token}`)), 'The reviewer failed: bad [token]'],
    [
      'with an answer that throws when read',
      async () => ({
        get status() {
          throw new Error('lazy');
        },
      }),
      'The reviewer failed: lazy',
    ],
  ])('%s is reviewer_failed, in words fit for the log', async (_, perform, message) => {
    expect(await caught(reviewerOf(perform).review(token))).toMatchObject({ code: 'reviewer_failed', message });
  });

  test('with an Unavailability is that one', async () => {
    const error = new Unavailability('credential_unreadable', 'no file', 3);
    expect(await caught(reviewerOf(() => Promise.reject(error)).review('t'))).toBe(error);
  });

  test('by answering nonsense is answer_invalid', async () => {
    expect(await caught(reviewerOf(async () => '<html>').review('t'))).toMatchObject({ code: 'answer_invalid' });
  });
});

describe('an API server that keeps failing', () => {
  const unreachable = (): Promise<never> =>
    Promise.reject(new Unavailability('api_server_unreachable', 'connect ECONNREFUSED'));
  const verdict = { status: { error: 'invalid bearer token' } };

  /** Where the pause of the circuit is measured with `Date`. */
  function withDate(): void {
    jest.useRealTimers();
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  }

  async function ended(review: Promise<unknown>): Promise<unknown> {
    const outcome = review.catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(3_000);
    return outcome;
  }

  test('is left alone after ten outages in a row: at once, with the last reason; tried again, and asked again', async () => {
    withDate();
    using _ = jest.spyOn(Math, 'random').mockReturnValue(0.5);
    const perform = jest.fn<ReviewFunction>(unreachable);
    const reviewer = reviewerOf(perform);
    expect(await ended(reviewer.review('1'))).toMatchObject({ code: 'api_server_unreachable' });
    expect(await ended(reviewer.review('2'))).toMatchObject({ code: 'api_server_unreachable' });
    expect([perform.mock.calls.length, reviewer.circuit]).toEqual([8, 'closed']);
    perform.mockImplementation(() => new Promise(() => {}));
    expect(await ended(reviewer.review('3'))).toMatchObject({ code: 'api_server_timeout' });
    const fourth = caught(reviewer.review('4'));
    await jest.advanceTimersByTimeAsync(2_999);
    expect(reviewer.circuit).toBe('closed');
    await jest.advanceTimersByTimeAsync(1);
    expect(await fourth).toMatchObject({ code: 'api_server_timeout' });
    expect([perform.mock.calls.length, reviewer.circuit]).toEqual([10, 'open']);
    expect(reviewer.hasSpareCapacity()).toBe(false);
    for (const token of ['5', '6', '7']) {
      // At once: no timer is advanced.
      expect(await caught(reviewer.review(token))).toMatchObject({
        code: 'api_server_down',
        message: 'The API server is not asked for a moment: No answer within 3000 ms',
      });
    }
    expect(perform).toHaveBeenCalledTimes(10);
    await jest.advanceTimersByTimeAsync(2_000);
    perform.mockImplementation(async () => verdict);
    expect(await reviewer.review('8')).toMatchObject({ authenticated: false });
    expect([reviewer.circuit, reviewer.hasSpareCapacity()]).toEqual(['closed', true]);
  });

  test('is not what 100 rejections are, nor 100 failures of a reviewer of its own kind, nor 100 nonsensical answers', async () => {
    let answer: ReviewFunction = async () => verdict;
    const reviewer = reviewerOf((...call) => answer(...call));
    for (let index = 0; index < 100; index += 1) await reviewer.review('t');
    answer = () => Promise.reject(new Error('a bug'));
    for (let index = 0; index < 100; index += 1) await caught(reviewer.review('t'));
    answer = async () => '<html>';
    for (let index = 0; index < 100; index += 1) await caught(reviewer.review('t'));
    expect([reviewer.circuit, reviewer.hasSpareCapacity()]).toEqual(['closed', true]);
  });

  test('keeps readiness too', async () => {
    withDate();
    using _ = jest.spyOn(Math, 'random').mockReturnValue(0.5);
    const reviewer = reviewerOf(unreachable);
    for (let index = 0; index < 2; index += 1) await ended(reviewer.review('t'));
    const third = caught(reviewer.review('t'));
    await jest.advanceTimersByTimeAsync(300);
    expect(await third).toMatchObject({ code: 'api_server_down' });
    expect(await caught(reviewer.ready())).toMatchObject({ code: 'api_server_down' });
  });
});

test('a failure that may pass is not told to whoever waits, where it does', async () => {
  const perform = jest.fn<ReviewFunction>(async () => accepted);
  perform.mockRejectedValueOnce(new Unavailability('api_server_unreachable', 'ECONNRESET'));
  perform.mockRejectedValueOnce(new Unavailability('api_server_overloaded', 'HTTP 429', 1));
  const review = reviewerOf(perform).review('token');
  await jest.advanceTimersByTimeAsync(1_200);
  expect(await review).toMatchObject({ authenticated: true });
  expect(perform).toHaveBeenCalledTimes(3);
});

test('a reviewer of its own kind that throws is asked once', async () => {
  const perform = jest.fn<ReviewFunction>(() => Promise.reject(new Error('ECONNRESET')));
  expect(await caught(reviewerOf(perform).review('t'))).toMatchObject({ code: 'reviewer_failed' });
  expect(perform).toHaveBeenCalledTimes(1);
});

test('what a token waited before its review is taken from its deadline', async () => {
  const failed = caught(reviewerOf(() => new Promise(() => {})).review('t', { share: [], waitedMs: 1_000 }));
  let isOver = false;
  void failed.then(() => {
    isOver = true;
  });
  await jest.advanceTimersByTimeAsync(1_999);
  expect(isOver).toBe(false);
  await jest.advanceTimersByTimeAsync(1);
  expect(await failed).toMatchObject({ message: 'No answer within 3000 ms' });
});

describe('readiness', () => {
  test('is any verdict on a token that cannot be valid', async () => {
    const perform = jest.fn<ReviewFunction>(async () => ({ status: { error: 'invalid bearer token' } }));
    await expect(reviewerOf(perform).ready()).resolves.toBeUndefined();
    expect(perform.mock.calls[0]?.[0].spec.token.split('.')).toHaveLength(1);
  });

  test('is kept by unavailability', async () => {
    expect(await caught(reviewerOf(async () => null).ready())).toMatchObject({ code: 'answer_invalid' });
  });
});

test('closing releases what it was given to release', async () => {
  const release = jest.fn();
  const reviewer = new BoundedReviewer(async () => accepted, [], limits, release);
  expect(release).not.toHaveBeenCalled();
  await reviewer.close();
  expect(release).toHaveBeenCalledTimes(1);
});

test('close() waits for what is asked in turn with the reviews, and then releases', async () => {
  const release = jest.fn();
  const reviewer = new BoundedReviewer(deaf().perform, ['orders'], limits, release);
  const { promise, resolve } = Promise.withResolvers<string>();
  const question = reviewer.inTurn(() => promise, String, { share: ['own'], waitedMs: 0 });
  const closing = reviewer.close();
  await settled();
  expect(release).not.toHaveBeenCalled();
  resolve('answer');

  expect(await question).toBe('answer');
  await closing;
  expect(release).toHaveBeenCalledTimes(1);
});
