import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { type Deadline, withDeadline } from '../../src/kubernetes/deadline.ts';
import { caught } from '../support/caught.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const forEver = (): Promise<never> => new Promise(() => {});

test('work that ends in time ends as it does, and leaves no timer and no aborted signal behind', async () => {
  let signal: AbortSignal | undefined;
  const done = withDeadline(100, 0, async (deadline) => {
    ({ signal } = deadline);
    return 'done';
  });
  expect(await done).toBe('done');
  const error = new Error('failed');
  expect(await caught(withDeadline(100, 0, () => Promise.reject(error)))).toBe(error);
  expect(
    await caught(
      withDeadline(100, 0, () => {
        throw error;
      }),
    ),
  ).toBe(error);
  expect(jest.getTimerCount()).toBe(0);
  expect(signal?.aborted).toBe(false);
});

test('work that takes longer is api_server_timeout, whether it heeds the signal or not', async () => {
  for (const work of [
    forEver,
    ({ signal }: Deadline) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
    ({ passed }: Deadline) => passed,
  ]) {
    const failed = caught(withDeadline(100, 0, work));
    await jest.advanceTimersByTimeAsync(100);
    expect(await failed).toMatchObject({ code: 'api_server_timeout', message: 'No answer within 100 ms' });
  }
});

test('the signal aborts with the same reason that the waiting gets', async () => {
  let signal: AbortSignal | undefined;
  const failed = caught(
    withDeadline(100, 0, (deadline) => {
      ({ signal } = deadline);
      return forEver();
    }),
  );
  await jest.advanceTimersByTimeAsync(100);
  expect(signal?.reason).toBe(await failed);
});

test('what was waited before is a part of the time, and the error names the whole', async () => {
  const failed = caught(withDeadline(100, 40, forEver));
  let isOver = false;
  void failed.then(() => {
    isOver = true;
  });
  await jest.advanceTimersByTimeAsync(59);
  expect(isOver).toBe(false);
  await jest.advanceTimersByTimeAsync(1);
  expect(await failed).toMatchObject({ message: 'No answer within 100 ms' });
});

test('the time that remains goes down to nothing, and below', async () => {
  let deadline: Deadline | undefined;
  const failed = caught(
    withDeadline(100, 10, (given) => {
      deadline = given;
      return forEver();
    }),
  );
  expect(deadline?.remainingMs()).toBeCloseTo(90);
  await jest.advanceTimersByTimeAsync(30);
  expect(deadline?.remainingMs()).toBeCloseTo(60);
  await jest.advanceTimersByTimeAsync(70);
  await failed;
  expect(deadline?.remainingMs()).toBeLessThan(0);
});
