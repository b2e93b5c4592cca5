import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { CoreAuthenticator } from '../../src/authentication/authenticator.ts';
import type { LogEntry } from '../../src/authentication/log.ts';
import type { ServiceAccountIdentity } from '../../src/authentication/service-account-identity.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ScriptedReviewer } from '../support/scripted-reviewer.ts';
import { ScriptedWatch } from '../support/scripted-watch.ts';
import { settled } from '../support/settled.ts';
import { audience, podReview, podToken } from '../support/tokens.ts';

let clock: FakeClock;
let watch: ScriptedWatch;
let reviewer: ScriptedReviewer;
let logged: LogEntry[];
let authenticator: CoreAuthenticator;
let identity: ServiceAccountIdentity;
let heard: string[];

function authenticatorWith(source: ScriptedWatch | undefined): CoreAuthenticator {
  return new CoreAuthenticator({
    reviewer,
    revocation: { source },
    audiences: [audience],
    maxEntries: 1,
    signatures: undefined,
    lifetimes: { maxAgeMs: 60_000, absoluteMaxAgeMs: 600_000, rejectionMaxAgeMs: 10_000, staleIfUnavailableMs: 0 },
    clock,
    log: (entry) => logged.push(entry),
    random: () => 0,
  });
}

const proveLife = (): void => watch.cover({ since: -60_000, provenAt: clock.monotonic() });
/** Both of what time there is: the clock's, and that of the timers. */
function pass(ms: number, isLive = true): void {
  for (let second = 0; second < ms / 1_000; second += 1) {
    clock.advance(1_000);
    if (isLive) proveLife();
    jest.advanceTimersByTime(1_000);
  }
}
const listen = (): (() => void) => authenticator.onRevoked(identity, (reason) => heard.push(reason));

beforeEach(async () => {
  jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'setImmediate'] });
  clock = new FakeClock();
  watch = new ScriptedWatch();
  reviewer = new ScriptedReviewer();
  logged = [];
  heard = [];
  proveLife();
  authenticator = authenticatorWith(watch);
  identity = await authenticator.authenticate(podToken(clock, { exp: clock.now() / 1000 + 7_200 }));
});
afterEach(async () => {
  await authenticator.close();
  jest.useRealTimers();
});

describe('the owner of a stream is told', () => {
  test.each([
    ['Pod', 'uid-of-web-1'],
    ['ServiceAccount', 'uid-of-web'],
  ] as const)('at once, and once, that the %s of its caller is gone', (kind, uid) => {
    const revoked: unknown[] = [];
    authenticator.on('revoked', ({ streams }) => revoked.push(streams));
    listen();
    listen();
    watch.delete(kind, uid);
    watch.delete(kind, uid);
    pass(60_000);
    expect([heard, revoked]).toEqual([['revoked', 'revoked'], [2]]);
    expect(authenticator.status().openStreams).toBe(0);
  });

  test('though the cache forgot the caller long ago', async () => {
    listen();
    const other = podReview({ uid: 'uid-of-web' });
    reviewer.answer = async () => other;
    await authenticator.authenticate(podToken(clock));
    pass(3_600_000);
    expect(heard).toEqual([]);
    watch.delete('Pod', 'uid-of-web-1');
    expect(heard).toEqual(['revoked']);
  });

  test('of a caller that went between its review and the listening', async () => {
    watch.delete('Pod', 'uid-of-web-1');
    listen();
    expect(heard).toEqual([]);
    await settled();
    expect(heard).toEqual(['revoked']);
  });

  test('of a caller that terminates, 60 s after its deletionTimestamp, whether told before the listening or after', () => {
    listen();
    watch.terminate('Pod', 'uid-of-web-1', clock.now() + 10_000);
    listen();
    pass(69_000);
    expect(heard).toEqual([]);
    pass(1_000);
    expect(heard).toEqual(['revoked', 'revoked']);
  });

  test("of its token's exp", () => {
    listen();
    pass(7_199_000);
    expect(heard).toEqual([]);
    pass(1_000);
    expect(heard).toEqual(['expired']);
  });

  test('when for 60 s nothing has proven that its caller exists', () => {
    listen();
    pass(600_000);
    pass(59_000, false);
    expect(heard).toEqual([]);
    pass(1_000, false);
    expect(heard).toEqual(['unprovable']);
  });

  test('when the watch is alive again after a gap, which may have hidden the deletion', () => {
    listen();
    pass(600_000);
    const since = clock.monotonic();
    for (let second = 0; second < 60; second += 1) {
      clock.advance(1_000);
      watch.cover({ since, provenAt: clock.monotonic() });
      jest.advanceTimersByTime(1_000);
    }
    expect(heard).toEqual(['unprovable']);
  });

  test('that the authenticator was closed, and at once where it is closed already', async () => {
    listen();
    await settled();
    void authenticator.close();
    expect(heard).toEqual(['closed']);
    listen();
    await settled();
    expect(heard).toEqual(['closed', 'closed']);
  });

  test('no sooner of an identity that was kept for as long as it may be, while the watch proves life', () => {
    pass(659_000);
    listen();
    pass(60_000);
    expect(heard).toEqual([]);
  });

  test('of an identity that was kept for so long that its deletion may be forgotten', async () => {
    pass(661_000);
    listen();
    await settled();
    expect(heard).toEqual(['unprovable']);
  });
});

test.each([0, 20_000])(
  'without a watch a caller is provable for 60 s after its review, whose owner listens %d ms later',
  async (ms) => {
    const unwatched = authenticatorWith(undefined);
    const known = await unwatched.authenticate(podToken(clock));
    pass(ms);
    unwatched.onRevoked(known, (reason) => heard.push(reason));
    pass(59_000 - ms);
    expect(heard).toEqual([]);
    pass(1_000);
    expect(heard).toEqual(['unprovable']);
    await unwatched.close();
  },
);

test.each([
  ['whose identity nothing proves any more', (): void => pass(60_000, false)],
  ['of an authenticator that closes', (): void => void authenticator.close()],
])('a listener that listens again when it is told, %s, is told no more than once in a turn', async (_, end) => {
  const again = (): void => {
    if (heard.push('told') < 100) authenticator.onRevoked(identity, again);
  };
  authenticator.onRevoked(identity, again);
  end();
  await Promise.resolve();
  expect(heard).toEqual(['told']);
});

test('who stopped listening hears nothing, and the last one stops the timer', () => {
  const [first, second] = [listen(), listen()];
  expect([authenticator.status().openStreams, jest.getTimerCount()]).toEqual([2, 1]);
  first();
  first();
  expect([authenticator.status().openStreams, jest.getTimerCount()]).toEqual([1, 1]);
  second();
  expect([authenticator.status().openStreams, jest.getTimerCount()]).toEqual([0, 0]);
  watch.delete('Pod', 'uid-of-web-1');
  pass(7_200_000);
  expect(heard).toEqual([]);
});

test('a listener that throws keeps nobody else from being told, and is logged', () => {
  authenticator.onRevoked(identity, () => {
    throw new Error('a bug of the listener');
  });
  listen();
  watch.delete('Pod', 'uid-of-web-1');
  expect(heard).toEqual(['revoked']);
  expect(logged).toEqual([
    { level: 'error', code: 'listener_failed', message: expect.stringContaining('onRevoked()') },
  ]);
});
