import { connect } from 'node:net';
import { expect, jest, test } from '@jest/globals';
import express, { type Express, type Response } from 'express';
import { type Authenticator, createAuthenticator, k8sServiceAccountAuth } from '../../src/index.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { settled } from '../support/settled.ts';
import { podToken } from '../support/tokens.ts';
import { listening } from './support/listening.ts';
import { rawRequest, statusesOf } from './support/raw-request.ts';
import { vouch } from './support/vouch.ts';

const clock = new FakeClock();
const token = podToken(clock);
const get = ['GET / HTTP/1.1', 'Host: a', 'Connection: close', `Authorization: Bearer ${token}`] as const;

/** A review that waits until it is told how it ends, and knows when it began. */
class HeldReview {
  readonly #began = Promise.withResolvers<void>();
  readonly #answer = Promise.withResolvers<unknown>();
  readonly began = this.#began.promise;
  readonly perform = jest.fn(async () => {
    this.#began.resolve();
    return this.#answer.promise;
  });

  async vouch(): Promise<void> {
    this.#answer.resolve(await vouch());
  }

  fail(): void {
    this.#answer.reject(new Error('broken'));
  }
}

/** An app that counts the calls of `next`, and knows its responses. */
function watchedApp(authenticator: Authenticator): {
  app: Express;
  next: jest.Mock;
  responses: Response[];
  arrived: (count: number) => Promise<void>;
} {
  const middleware = k8sServiceAccountAuth({ authenticator });
  const next = jest.fn();
  const responses: Response[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const app = express().set('env', 'test');
  app.use((req, res, proceed) => {
    responses.push(res);
    middleware(req, res, (error) => {
      next(error);
      proceed(error);
    });
    for (const { count, resolve } of waiting) if (responses.length >= count) resolve();
  });
  app.use((_req, res) => {
    res.send('served');
  });
  const arrived = (count: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (responses.length >= count) resolve();
    else waiting.push({ count, resolve });
    return promise;
  };
  return { app, next, responses, arrived };
}

const closed = (res: Response | undefined): Promise<void> =>
  new Promise((resolve) => {
    res?.once('close', resolve);
  });

test.each([
  ['vouches for the token', 'vouch', 200],
  ['fails', 'fail', 503],
] as const)(
  'a client that hangs up takes nothing from the others, when the review %s',
  async (_name, ending, status) => {
    const review = new HeldReview();
    await using authenticator = createAuthenticator({
      audiences: 'orders',
      reviewer: review.perform,
      clock,
      log: false,
    });
    const { app, next, responses, arrived } = watchedApp(authenticator);
    await using server = await listening(app);
    const first = connect(server.port, '127.0.0.1').on('error', () => {});
    first.write(`${get.join('\r\n')}\r\n\r\n`);
    await arrived(1);
    const second = rawRequest(server.port, ...get);
    await arrived(2);
    await review.began;

    const gone = closed(responses[0]);
    first.destroy();
    await gone;
    await settled();
    expect(next).not.toHaveBeenCalled();
    expect(authenticator.status().reviewsInFlight).toBe(1);

    await review[ending]();
    expect(statusesOf(await second)).toEqual([status]);
    await settled();
    expect(next).toHaveBeenCalledTimes(1);
    expect(review.perform).toHaveBeenCalledTimes(1);
  },
);

test('a client that was alone hangs up: the review ends all the same, for the cache, and nobody is called', async () => {
  const review = new HeldReview();
  await using authenticator = createAuthenticator({ audiences: 'orders', reviewer: review.perform, clock, log: false });
  const { app, next, responses, arrived } = watchedApp(authenticator);
  await using server = await listening(app);
  const client = connect(server.port, '127.0.0.1').on('error', () => {});
  client.write(`${get.join('\r\n')}\r\n\r\n`);
  await arrived(1);
  const gone = closed(responses[0]);
  client.destroy();
  await gone;

  const reviewed = new Promise<unknown>((resolve) => {
    authenticator.on('reviewed', resolve);
  });
  await review.vouch();
  expect(await reviewed).toMatchObject({ outcome: 'authenticated' });
  await settled();

  expect(next).not.toHaveBeenCalled();
  expect(authenticator.cached(token)).toMatchObject({ name: 'web' });
});

test.each([
  ['resolves', (resolve: (value: never) => void) => resolve({ name: 'late' } as never)],
  ['rejects', (_resolve: unknown, reject: (error: Error) => void) => reject(new Error('late'))],
])('an authenticator that heeds no signal and %s after the hang-up is not listened to', async (_name, settle) => {
  const { promise, resolve, reject } = Promise.withResolvers<never>();
  const middleware = k8sServiceAccountAuth({ authenticator: { authenticate: () => promise }, getToken: () => 'token' });
  const { EventEmitter } = await import('node:events');
  const res = new EventEmitter();
  const req = {};
  const next = jest.fn();
  middleware(req as never, res as never, next);
  res.emit('close');
  settle(resolve, reject);
  await settled();

  expect(next).not.toHaveBeenCalled();
  expect(req).toMatchObject({ serviceAccount: undefined });
  expect(res.listenerCount('close')).toBe(0);
});

test('the authenticator is told of the hang-up', async () => {
  const { EventEmitter } = await import('node:events');
  const res = new EventEmitter();
  const signals: (AbortSignal | undefined)[] = [];
  const authenticate = (_token: string, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<never> => {
    signals.push(signal);
    return new Promise(() => {});
  };
  k8sServiceAccountAuth({ authenticator: { authenticate }, getToken: () => 'token' })(
    {} as never,
    res as never,
    () => {},
  );
  expect(signals[0]?.aborted).toBe(false);

  res.emit('close');
  expect(signals[0]?.aborted).toBe(true);
});

test.each([
  ['vouches for', 'vouch'],
  ['fails on', 'fail'],
] as const)('a review that %s the token leaves no listener on the response', async (_name, ending) => {
  const review = new HeldReview();
  await using authenticator = createAuthenticator({ audiences: 'orders', reviewer: review.perform, clock, log: false });
  const listeners: number[] = [];
  const middleware = k8sServiceAccountAuth({ authenticator });
  const app = express().set('env', 'test');
  app.use((req, res, next) => {
    const before = res.listenerCount('close');
    middleware(req, res, (error) => {
      listeners.push(res.listenerCount('close') - before);
      next(error);
    });
    listeners.push(res.listenerCount('close') - before);
  });
  await using server = await listening(app);
  const answer = rawRequest(server.port, ...get);
  await review.began;
  await review[ending]();
  await answer;

  expect(listeners).toEqual([1, 0]);
});
