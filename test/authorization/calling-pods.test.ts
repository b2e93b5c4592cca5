import { beforeEach, describe, expect, test } from '@jest/globals';
import type { LogEntry } from '../../src/authentication/log.ts';
import { Unavailability } from '../../src/authentication/reviewer.ts';
import type { CallingPod } from '../../src/authorization/calling-pod.ts';
import { CallingPods } from '../../src/authorization/calling-pods.ts';
import { fakeIdentity } from '../../src/testing/fake-identity.ts';
import { caught } from '../support/caught.ts';
import { FakeClock } from '../support/fake-clock.ts';

const web = fakeIdentity('shop/web', { pod: 'web-1' });
const reviewedAnew = { ...web };
const other = fakeIdentity('shop/web', { pod: 'web-2' });
const podless = fakeIdentity('shop/web');
const podWith = (app: string): CallingPod => ({ labels: { app }, ips: [], hostNetwork: false });

let clock: FakeClock;
let looks: string[];
let answer: () => Promise<CallingPod | undefined>;
let logged: LogEntry[];
beforeEach(() => {
  clock = new FakeClock();
  looks = [];
  answer = async () => podWith('web');
  logged = [];
});

const podsOf = (maxEntries = 10): CallingPods =>
  new CallingPods({
    directory: {
      find: ({ namespace }, { name, uid }) => {
        looks.push(`${namespace} ${name} ${uid}`);
        return answer();
      },
    },
    maxEntries,
    maxAgeMs: 60_000,
    clock,
    log: (entry) => logged.push(entry),
  });

const sooner = async <T>(value: T | Promise<T>): Promise<T> => value;

test('a Pod is looked at once per TokenReview, and then known at once', async () => {
  const pods = podsOf();
  expect(await pods.of(web)).toEqual(podWith('web'));
  expect(pods.of(web)).toEqual(podWith('web'));
  expect(looks).toEqual([`shop web-1 ${web.pod?.uid}`]);

  answer = async () => podWith('api');
  expect(await pods.of(reviewedAnew)).toEqual(podWith('api'));
  // What is newer than the review is good for the older one too.
  expect(pods.of(web)).toEqual(podWith('api'));
  expect(looks).toHaveLength(2);
});

test('a Pod is looked at again after a minute, where its identity is used for longer', async () => {
  const pods = podsOf();
  await pods.of(web);
  clock.advance(59_999);
  expect(pods.of(web)).toEqual(podWith('web'));
  clock.advance(1);
  answer = async () => podWith('api');
  expect(await pods.of(web)).toEqual(podWith('api'));
});

test('however many ask at once, whatever tokens they hold, one look is taken', async () => {
  const pods = podsOf();
  const all = await Promise.all([web, reviewedAnew, web].map((identity) => sooner(pods.of(identity))));

  expect(all).toEqual([podWith('web'), podWith('web'), podWith('web')]);
  expect(pods.of(reviewedAnew)).toEqual(podWith('web'));
  expect(looks).toHaveLength(1);
});

test('each Pod is looked at for itself, and a token without one needs no look', async () => {
  const pods = podsOf();
  await pods.of(web);
  await pods.of(other);

  expect(looks).toHaveLength(2);
  expect(pods.of(podless)).toBeUndefined();
  expect(pods.anew(podless)).toBeUndefined();
});

test('a Pod that is gone stays gone', async () => {
  const pods = podsOf();
  answer = async () => undefined;
  expect(await pods.of(web)).toBeUndefined();
  expect(pods.of(web)).toBeUndefined();
  expect(looks).toHaveLength(1);
});

describe('a look anew', () => {
  test('is taken where the last one began a second ago or more', async () => {
    const pods = podsOf();
    await pods.of(web);
    clock.advance(999);
    expect(pods.anew(web)).toEqual(podWith('web'));
    clock.advance(1);
    answer = async () => podWith('api');
    expect(await pods.anew(web)).toEqual(podWith('api'));
    expect(pods.of(web)).toEqual(podWith('api'));
    expect(looks).toHaveLength(2);
  });
});

describe('an error', () => {
  test('is told to all who wait and to the operator once, and never remembered', async () => {
    const pods = podsOf();
    const down = new Unavailability('api_server_unreachable', 'refused');
    answer = () => Promise.reject(down);
    expect(await Promise.all([caught(sooner(pods.of(web))), caught(sooner(pods.of(web)))])).toEqual([down, down]);
    expect(logged).toEqual([{ level: 'error', code: 'api_server_unreachable', message: 'refused' }]);
    answer = async () => podWith('web');
    expect(await pods.of(web)).toEqual(podWith('web'));
  });

  test('of no known kind is unavailability, even where it is thrown at once', async () => {
    const pods = podsOf();
    answer = () => {
      throw new Error('secret');
    };
    expect(await caught(sooner(pods.of(web)))).toMatchObject({ code: 'reviewer_failed' });
    expect(JSON.stringify(logged)).not.toContain('secret');
    answer = async () => podWith('web');
    expect(await pods.of(web)).toEqual(podWith('web'));
  });
});

describe('a Pod that has changed', () => {
  test('is looked at anew by the next who asks', async () => {
    const pods = podsOf();
    await pods.of(web);
    await pods.of(other);
    pods.forget(web.pod?.uid ?? '');
    answer = async () => podWith('api');

    expect(await pods.of(web)).toEqual(podWith('api'));
    expect(pods.of(other)).toEqual(podWith('web'));
  });

  test('while it is looked at is not remembered as it was', async () => {
    const pods = podsOf();
    const look = Promise.withResolvers<CallingPod>();
    answer = () => look.promise;
    const before = pods.of(web);
    pods.forget(web.pod?.uid ?? '');
    answer = async () => podWith('api');
    const after = pods.of(web);
    look.resolve(podWith('web'));

    expect(await before).toEqual(podWith('web'));
    expect(await after).toEqual(podWith('api'));
    expect(pods.of(web)).toEqual(podWith('api'));
    expect(looks).toHaveLength(2);
  });
});

test('so many Pods are remembered, and no more', async () => {
  const pods = podsOf(1);
  await pods.of(web);
  await pods.of(other);
  expect(pods.of(other)).toEqual(podWith('web'));
  expect(pods.of(web)).toBeInstanceOf(Promise);
});
