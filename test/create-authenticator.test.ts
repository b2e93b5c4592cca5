import { describe, expect, jest, test } from '@jest/globals';
import type { LogEntry } from '../src/authentication/log.ts';
import type { AuthenticatorOptions } from '../src/authenticator-options.ts';
import { createAuthenticator } from '../src/create-authenticator.ts';
import type { ReviewFunction } from '../src/kubernetes/bounded-reviewer.ts';
import { startSimulatedCluster } from '../src/testing/simulated-cluster/simulated-cluster.ts';
import { caught, thrown } from './support/caught.ts';
import { FakeClock } from './support/fake-clock.ts';
import { settled } from './support/settled.ts';
import { podReview, podToken } from './support/tokens.ts';

const { authenticated, audiences, ...user } = podReview();
const accepts: ReviewFunction = async () => ({ status: { authenticated, audiences, user } });

describe('wrong options', () => {
  const wrong: readonly (readonly [unknown, string])[] = [
    [{ audience: 'orders' }, 'there is no option "audience". Did you mean "audiences"?'],
    [{ reviews: {} }, 'there is no option "reviews". Did you mean "review"?'],
    [{ audiences: undefined }, 'the option "audiences" is undefined. Is an environment variable missing?'],
    [{ audiences: '' }, 'an audience is empty. Is an environment variable missing?'],
    [{ audiences: ['orders', ''] }, 'an audience is empty. Is an environment variable missing?'],
    [{ audiences: [] }, 'the option "audiences" is wrong: the list is empty'],
    [{ audiences: null }, 'the option "audiences" is wrong: expected a non-empty string, or a non-empty list of them'],
    [{ audiences: 5 }, 'the option "audiences" is wrong: expected a non-empty string, or a non-empty list of them'],
    [{ audiences: [undefined] }, 'the option "audiences'],
    [{ audiences: { 0: 'orders' } }, 'the option "audiences" is wrong: expected a non-empty string'],
    [{ kubeConfig: {} }, 'expected an object with getCurrentCluster() and applyToHTTPSOptions()'],
    [{ reviewer: {} }, 'the option "reviewer" is wrong: expected a function'],
    [{ log: true }, 'the option "log" is wrong: expected a function or false'],
    [{ log: console }, 'the option "log" is wrong: expected a function or false'],
    [{ clock: Date }, 'the option "clock" is wrong: expected an object with now() and monotonic()'],
    [{ cache: { maxAge: 5 } }, 'there is no option "cache.maxAge". Did you mean "maxAgeMs"?'],
    [{ cache: { maxEntries: 0 } }, 'the option "cache.maxEntries" is wrong'],
    [{ cache: { maxAgeMs: -1 } }, 'the option "cache.maxAgeMs" is wrong'],
    [{ cache: { maxAgeMs: 600_001 } }, 'the option "cache.maxAgeMs" is wrong: Too big: expected number to be <=600000'],
    [{ staleIfUnavailableMs: -1 }, 'the option "staleIfUnavailableMs" is wrong'],
    [{ staleIfUnavailable: 5 }, 'there is no option "staleIfUnavailable". Did you mean "staleIfUnavailableMs"?'],
    [{ cache: { maxAgeMs: 1.5 } }, 'the option "cache.maxAgeMs" is wrong'],
    [{ cache: { maxAgeMs: Number.NaN } }, 'the option "cache.maxAgeMs" is wrong'],
    [{ cache: { rejectionMaxAgeMs: '10s' } }, 'the option "cache.rejectionMaxAgeMs" is wrong'],
    [{ review: { timeoutMs: 0 } }, 'the option "review.timeoutMs" is wrong'],
    [{ review: { timeoutMs: Number.POSITIVE_INFINITY } }, 'the option "review.timeoutMs" is wrong'],
    [{ review: { maxConcurrent: 0 } }, 'the option "review.maxConcurrent" is wrong'],
    [{ review: { maxQueued: 0 } }, 'the option "review.maxQueued" is wrong'],
    [{ review: null }, 'the option "review" is wrong'],
    [{ revocation: 'wach' }, "the option \"revocation\" is wrong: expected 'none', 'watch', or an object"],
    [{ revocation: true }, "the option \"revocation\" is wrong: expected 'none', 'watch', or an object"],
    [{ revocation: { namespace: ['shop'] } }, 'there is no option "revocation.namespace". Did you mean "namespaces"?'],
    [{ revocation: { namespaces: [] } }, 'the option "revocation.namespaces" is wrong: the list is empty'],
    [{ revocation: { namespaces: undefined } }, 'the option "revocation.namespaces" is undefined'],
    [
      { revocation: { namespaces: ['shop/../x'] } },
      'the option "revocation.namespaces.0" is wrong: expected a namespace',
    ],
    [{ revocation: { namespaces: [''] } }, 'Is an environment variable missing?'],
    [{ revocation: { namespaces: Array.from({ length: 51 }, (_, index) => `n${index}`) } }, 'more than 50'],
    [{ revocation: { maxAgeMs: 3_600_001 } }, 'the option "revocation.maxAgeMs" is wrong'],
    [{ revocation: { refuseTerminating: 'yes' } }, 'the option "revocation.refuseTerminating" is wrong'],
    [{ verifyNode: 'yes' }, 'the option "verifyNode" is wrong'],
    [{ revocation: 'watch', reviewer: accepts }, 'give either "revocation" or "reviewer", not both'],
    [{ verifyNode: true, reviewer: accepts }, 'give either "verifyNode" or "reviewer", not both'],
    [null, 'the options are wrong'],
    ['orders', 'the options are wrong'],
    [
      { reviewer: accepts, kubeConfig: { getCurrentCluster() {}, applyToHTTPSOptions() {} } },
      'give either "kubeConfig" or "reviewer", not both',
    ],
  ];
  test.each(wrong)('%p throw a TypeError that says so', (options, message) => {
    const error = thrown(() => createAuthenticator(options as AuthenticatorOptions));
    expect(error).toBeInstanceOf(TypeError);
    expect((error as TypeError).message).toMatch(/^createAuthenticator: /);
    expect((error as TypeError).message).toContain(message);
  });
});

test.each<[AuthenticatorOptions | undefined]>([
  [undefined],
  [{}],
  [{ audiences: 'orders' }],
  [{ audiences: ['orders', 'billing', 'orders'] }],
  [{ log: false, cache: {}, review: {} }],
  [{ revocation: 'none', reviewer: accepts }],
  [{ revocation: 'watch', verifyNode: true }],
  [{ revocation: { namespaces: ['shop', 'billing'], maxAgeMs: 300_000, refuseTerminating: true } }],
  [{ cache: { maxEntries: 1, maxAgeMs: 0, rejectionMaxAgeMs: 0 }, review: { timeoutMs: 1, maxConcurrent: 1 } }],
])('%j make an authenticator that has done nothing yet', async (options) => {
  await using authenticator = createAuthenticator(options);
  expect(authenticator.status()).toMatchObject({ state: 'open', lastReview: undefined });
});

test('an audience said twice is asked for once', async () => {
  const reviewer = jest.fn(accepts);
  await using authenticator = createAuthenticator({
    reviewer,
    audiences: ['orders', 'billing', 'orders'],
    clock: new FakeClock(),
  });
  await authenticator.authenticate(podToken(new FakeClock()));
  expect(reviewer.mock.calls[0]?.[0].spec.audiences).toEqual(['orders', 'billing']);
});

test("the defaults are 60 s for identities, 10 s for rejections, and the system's clock", async () => {
  const clock = new FakeClock();
  let review = accepts;
  const reviewer = jest.fn<ReviewFunction>((...call) => review(...call));
  await using authenticator = createAuthenticator({ reviewer, audiences: 'orders', clock, log: false });
  const [good, bad] = [podToken(clock), podToken(clock)];
  await authenticator.authenticate(good);
  review = async () => ({ status: { error: 'no' } });
  await caught(authenticator.authenticate(bad));
  clock.advance(9_999);
  await caught(authenticator.authenticate(bad));
  expect(reviewer).toHaveBeenCalledTimes(2);
  clock.advance(1);
  await caught(authenticator.authenticate(bad));
  expect(reviewer).toHaveBeenCalledTimes(3);
  clock.advance(50_000);
  expect(authenticator.cached(good)).toBeUndefined();
});

test('an identity is never used for more than ten minutes after its review', async () => {
  const clock = new FakeClock();
  await using authenticator = createAuthenticator({
    reviewer: accepts,
    audiences: 'orders',
    clock,
    cache: { maxAgeMs: 600_000 },
  });
  const token = podToken(clock);
  await authenticator.authenticate(token);
  clock.advance(600_000);
  expect(authenticator.cached(token)).toBeUndefined();
});

test('reviews go to the API server of the kubeconfig, and close() ends their connections', async () => {
  await using cluster = await startSimulatedCluster();
  const pod = await cluster.createPod('shop/web-1', { serviceAccount: 'web' });
  const token = await pod.token({ audiences: 'orders' });
  const authenticator = createAuthenticator({ kubeConfig: cluster.kubeConfig, audiences: 'orders' });
  await authenticator.ready();
  const identities = await Promise.all(Array.from({ length: 1_000 }, () => authenticator.authenticate(token)));
  expect(new Set(identities).size).toBe(1);
  expect(identities[0]).toMatchObject({ namespace: 'shop', name: 'web', pod: { name: 'web-1', uid: pod.uid } });
  expect(cluster.requests.tokenreviews).toBe(2);
  await authenticator.close();
  while (cluster.connections.open > 0) await new Promise((resolve) => setImmediate(resolve));
  expect(cluster.connections.open).toBe(0);
});

const down: ReviewFunction = () => Promise.reject(new Error('down'));
const throwingLog = (): never => {
  throw new Error('disk full');
};

test('a configuration that makes no sense is an error of ready(), and 503 to a caller; looked for again each time', async () => {
  const logged: LogEntry[] = [];
  const log = (entry: LogEntry): void => void logged.push(entry);
  const clock = new FakeClock();
  process.env['KUBERNETES_SERVICE_HOST'] = '10.96.0.1';
  delete process.env['KUBERNETES_SERVICE_PORT'];
  try {
    await using authenticator = createAuthenticator({ audiences: 'orders', log, clock });
    const error = await caught(authenticator.ready());
    expect(error).toMatchObject({ code: 'configuration_invalid' });
    expect(String(error)).toContain('KUBERNETES_SERVICE_PORT');
    expect(await caught(authenticator.authenticate(podToken(clock)))).toMatchObject({
      code: 'configuration_invalid',
      status: 503,
    });
    expect(logged.map(({ code }) => code)).toEqual(['configuration_invalid']);
  } finally {
    delete process.env['KUBERNETES_SERVICE_HOST'];
  }
});

describe('the log', () => {
  test('is stderr by default, as JSON lines', async () => {
    using write = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    await using authenticator = createAuthenticator({ reviewer: down, audiences: 'orders' });
    await caught(authenticator.authenticate(podToken({ now: () => Date.now(), monotonic: () => 0 })));
    expect(write.mock.calls.map(([line]) => JSON.parse(String(line)) as unknown)).toEqual([
      expect.objectContaining({ level: 'error', code: 'reviewer_failed', message: 'The reviewer failed: down' }),
    ]);
  });

  test('is nobody where it is false', async () => {
    using write = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    const clock = new FakeClock();
    await using authenticator = createAuthenticator({ reviewer: down, log: false, clock });
    await caught(authenticator.authenticate(podToken(clock)));
    expect(write).not.toHaveBeenCalled();
  });

  test('is the function given', async () => {
    const clock = new FakeClock();
    const logged: LogEntry[] = [];
    const log = (entry: LogEntry): void => void logged.push(entry);
    await using authenticator = createAuthenticator({ reviewer: down, audiences: 'orders', log, clock });
    await caught(authenticator.authenticate(podToken(clock)));
    expect(logged.map(({ code }) => code)).toEqual(['reviewer_failed']);
  });

  test('that throws changes no outcome, on no path, and the process is warned of it once', async () => {
    const clock = new FakeClock();
    using warn = jest.spyOn(process, 'emitWarning').mockReturnValue();
    let review = down;
    await using authenticator = createAuthenticator({
      reviewer: (...call) => review(...call),
      log: throwingLog,
      clock,
    });
    authenticator.on('reviewed', () => {
      throw new Error('a listener too');
    });
    const token = podToken(clock);
    expect(await caught(authenticator.authenticate(token))).toMatchObject({ code: 'reviewer_failed', status: 503 });
    review = accepts;
    expect(await authenticator.authenticate(token)).toMatchObject({ name: 'web' });
    review = down;
    clock.advance(53_999);
    for (let second = 0; second < 6 && authenticator.cached(token); second += 1) {
      await settled();
      clock.advance(1_000);
    }
    expect(authenticator.status().lastReview?.outcome).toBe('unavailable');
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]?.[0]).toContain('`log`');
  });
});
