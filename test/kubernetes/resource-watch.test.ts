import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  NamespaceMissing,
  ResourceWatch,
  type ResourceWatchParts,
  type WatchFailure,
} from '../../src/kubernetes/resource-watch.ts';
import type { ObjectEvent } from '../../src/kubernetes/watch-event.ts';
import type { ResourceKind } from '../../src/kubernetes/watched-resources.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { objectEvent, ScriptedApiServer, type ScriptedWatchRequest } from '../support/scripted-api-server.ts';
import { settled } from '../support/settled.ts';
import { until } from '../support/until.ts';

let clock: FakeClock;
let server: ScriptedApiServer;
let told: ObjectEvent[];
let failures: WatchFailure[];
const open: ResourceWatch[] = [];

beforeEach(() => {
  // Only what waits: streams and promises go on as they do.
  jest.useFakeTimers({
    doNotFake: ['setImmediate', 'clearImmediate', 'queueMicrotask', 'nextTick', 'setInterval', 'clearInterval', 'Date'],
  });
  clock = new FakeClock();
  server = new ScriptedApiServer();
  told = [];
  failures = [];
});
afterEach(async () => {
  for (const watch of open.splice(0)) watch.close();
  await until(() => jest.getTimerCount() === 0);
  jest.useRealTimers();
});

function startWatch(kind: ResourceKind = 'Pod', namespace?: string): ResourceWatch {
  const parts: ResourceWatchParts = {
    apiServer: server.asApiServer,
    clock,
    grantTo: ({ name }) => `Grant it to ${name}`,
    timeoutSeconds: 30,
    report: (_, failure) => void (failure && failures.push(failure)),
  };
  const watch = new ResourceWatch({ kind, namespace }, parts);
  open.push(watch);
  watch.start((event) => void told.push(event));
  return watch;
}

/** The watch request of that number, once there is one. */
async function request(number: number): Promise<ScriptedWatchRequest> {
  await until(() => server.watches.length >= number);
  const watch = server.watches[number - 1];
  if (watch === undefined) throw new Error('There is no such request');
  // Until its answer has begun for the one who asked.
  for (let turn = 0; turn < 5; turn += 1) await settled();
  return watch;
}
const versionOf = ({ path }: ScriptedWatchRequest): string | null =>
  new URL(path, 'https://host').searchParams.get('resourceVersion');

/** A watch that has lived as long as it should, and ends. */
function endInTime(watch: ScriptedWatchRequest): void {
  clock.advance(30_000);
  jest.advanceTimersByTime(30_000);
  watch.end();
}

/** Pauses are over as soon as they begin. */
async function requestAfterPauses(number: number): Promise<ScriptedWatchRequest> {
  for (let step = 0; step < 1_000 && server.watches.length < number; step += 1) {
    jest.advanceTimersByTime(100);
    await settled();
  }
  return request(number);
}

describe('a watch', () => {
  test.each([
    ['Pod', undefined, '/api/v1/pods'],
    ['ServiceAccount', 'shop', '/api/v1/namespaces/shop/serviceaccounts'],
    ['Node', undefined, '/api/v1/nodes'],
    ['RoleBinding', undefined, '/apis/rbac.authorization.k8s.io/v1/rolebindings'],
    ['Role', 'shop', '/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles'],
    ['ClusterRole', undefined, '/apis/rbac.authorization.k8s.io/v1/clusterroles'],
  ] as const)('of a %s in %s starts from now, with metadata only', async (kind, namespace, path) => {
    const watch = startWatch(kind, namespace);
    await watch.ready();
    const of = (form: string): string => `application/json;as=${form};g=meta.k8s.io;v=v1`;
    expect(server.others.at(-1)).toEqual({ path: `${path}?limit=1`, accept: of('PartialObjectMetadataList') });
    expect(server.watches).toEqual([
      expect.objectContaining({
        path: `${path}?watch=1&allowWatchBookmarks=true&resourceVersion=100&timeoutSeconds=30`,
        accept: of('PartialObjectMetadata'),
      }),
    ]);
    expect([watch.state, watch.isCovering, watch.since]).toEqual(['live', true, clock.monotonic()]);
  });

  test('tells what comes to be, changes, terminates and is gone; bookmarks are nothing', async () => {
    startWatch('ServiceAccount');
    const terminating = { uid: 'uid-3', deletionTimestamp: '2027-01-15T08:00:30Z' };
    (await request(1)).say(
      objectEvent('ADDED', '101', { uid: 'uid-1' }),
      objectEvent('MODIFIED', '102', { uid: 'uid-2' }),
      objectEvent('MODIFIED', '103', terminating),
      objectEvent('BOOKMARK', '104', {}),
      objectEvent('DELETED', '105', terminating),
    );
    await until(() => told.length === 4);
    const deletionTimestamp = Date.UTC(2027, 0, 15, 8, 0, 30);
    expect(told).toEqual([
      { type: 'ADDED', resourceVersion: '101', uid: 'uid-1', deletionTimestamp: undefined },
      { type: 'MODIFIED', resourceVersion: '102', uid: 'uid-2', deletionTimestamp: undefined },
      { type: 'MODIFIED', resourceVersion: '103', uid: 'uid-3', deletionTimestamp },
      { type: 'DELETED', resourceVersion: '105', uid: 'uid-3', deletionTimestamp },
    ]);
  });

  test('resumes after the last thing it was told, without a gap, in its time or after its connection is lost', async () => {
    const watch = startWatch();
    const since = clock.monotonic();
    server.version = '300';
    const first = await request(1);
    first.say(objectEvent('ADDED', '301'));
    await settled();
    server.version = '302';
    endInTime(first);
    const second = await request(2);
    second.say(objectEvent('BOOKMARK', '305', {}));
    await settled();
    server.version = '306';
    second.reset();
    await until(() => watch.state === 'interrupted');
    const third = await requestAfterPauses(3);
    expect([versionOf(second), versionOf(third)]).toEqual(['301', '305']);
    expect([watch.state, watch.since, failures.map(({ count }) => count)]).toEqual(['live', since, [1]]);
  });
});

describe('proof of life', () => {
  const hasComeTo = (path: string): boolean => path.includes('resourceVersionMatch');

  async function resumed(): Promise<{
    watch: ResourceWatch;
    stream: ScriptedWatchRequest;
    before: number;
    listedAt: number;
  }> {
    const watch = startWatch();
    const first = await request(1);
    const before = clock.monotonic();
    expect(watch.provenAt).toBe(before);
    first.say(objectEvent('ADDED', '101'));
    await settled();
    server.version = '110';
    endInTime(first);
    const listedAt = clock.monotonic();
    const stream = await request(2);
    clock.advance(10);
    return { watch, stream, before, listedAt };
  }

  test('dates from the list before a watch is resumed, once what happened before that has been told', async () => {
    const { watch, stream, before, listedAt } = await resumed();
    expect(server.others.at(-1)?.path).toBe(
      '/api/v1/namespaces/default/pods?fieldSelector=metadata.name%3Dnone&resourceVersion=110&resourceVersionMatch=NotOlderThan',
    );
    stream.say(objectEvent('DELETED', '105', { uid: 'uid-1' }));
    await until(() => told.length === 1);
    jest.advanceTimersByTime(999);
    expect(watch.provenAt).toBe(before);
    jest.advanceTimersByTime(1);
    expect(watch.provenAt).toBe(listedAt);
  });

  test('comes at once where nothing happened, and with an event or a bookmark that is not older than the list', async () => {
    for (const [last, type] of [
      ['110', 'ADDED'],
      ['110', 'BOOKMARK'],
      ['111', 'ADDED'],
    ] as const) {
      const { watch, stream, listedAt } = await resumed();
      stream.say(objectEvent(type, last));
      await until(() => watch.provenAt === listedAt);
      const third = request(3);
      server.version = last;
      endInTime(stream);
      const again = clock.monotonic();
      await third;
      await until(() => watch.provenAt === again);
      watch.close();
      server = new ScriptedApiServer();
    }
  });

  test.each([
    ['has not come to what etcd has', async () => ({ status: 504 })],
    ['takes more than a second to come to it', () => new Promise<never>(() => {})],
    ['cannot be asked', () => Promise.reject(new Error('read ECONNRESET'))],
  ])('does not come from a watch of an API server that %s, though it has bookmarks', async (_, answer) => {
    server.answerTo = (path) => (hasComeTo(path) ? answer() : undefined);
    const resuming = resumed();
    await until(() => server.others.some(({ path }) => hasComeTo(path)));
    await settled();
    jest.advanceTimersByTime(1_000);
    const { watch, stream, before, listedAt } = await resuming;
    stream.say(objectEvent('BOOKMARK', '101', {}), objectEvent('BOOKMARK', '101', {}));
    jest.advanceTimersByTime(20_000);
    await settled();
    expect([watch.provenAt, watch.state, watch.isCovering]).toEqual([before, 'live', true]);
    stream.say(objectEvent('BOOKMARK', '110', {}));
    await until(() => watch.provenAt === listedAt);
  });

  test('does not come while lists hang, though the watch ends and might resume', async () => {
    const watch = startWatch();
    const first = await request(1);
    await watch.ready();
    const provenAt = clock.monotonic();
    const never = new Promise<never>(() => {});
    server.answerTo = (path) => (path.includes('limit=1') ? never : undefined);
    endInTime(first);
    await until(() => server.others.length === 2);
    jest.advanceTimersByTime(5_000);
    await until(() => watch.state === 'interrupted');
    expect([watch.provenAt, watch.isCovering]).toEqual([provenAt, true]);
    expect(failures[0]?.error).toMatchObject({ code: 'api_server_timeout' });
  });
});

describe('a gap, and a new start,', () => {
  const expired = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version: 100 (200)' };

  test.each<[string, (stream: ScriptedWatchRequest) => void]>([
    ['an ERROR event of 410', (stream) => stream.say({ type: 'ERROR', object: expired })],
    ['a version that goes back', (stream) => stream.say(objectEvent('ADDED', '150'), objectEvent('ADDED', '149'))],
    ['a bookmark that goes back', (stream) => stream.say(objectEvent('BOOKMARK', '99', {}))],
    ['a line that is no JSON', (stream) => stream.say('oops\n')],
    ['an event that makes no sense', (stream) => stream.say(objectEvent('DELETED', '101', {}))],
    ['a line of more than 2 MiB', (stream) => stream.say('x'.repeat(2 * 1024 * 1024 + 1))],
  ])('come with %s', async (_, speak) => {
    const watch = startWatch();
    const first = await request(1);
    await watch.ready();
    server.version = '200';
    clock.advance(10_000);
    speak(first);
    const second = await requestAfterPauses(2);
    await until(() => watch.state === 'live');
    expect([versionOf(second), watch.since, watch.isCovering]).toEqual(['200', clock.monotonic(), true]);
    expect(first.signal.aborted || failures.length === 1).toBe(true);
  });

  test('come with the status 410', async () => {
    const watch = startWatch();
    endInTime(await request(1));
    server.answerTo = (path) =>
      path.includes('resourceVersion=100') ? { status: 410, body: JSON.stringify(expired) } : undefined;
    server.version = '200';
    const second = await requestAfterPauses(2);
    await until(() => watch.state === 'live');
    expect([versionOf(second), watch.since]).toEqual(['200', clock.monotonic()]);
  });

  test('come with a list that is older than the watch: etcd was restored, and the watch would be silent for ever', async () => {
    const watch = startWatch();
    const first = await request(1);
    first.say(objectEvent('ADDED', '150'));
    await settled();
    server.version = '99';
    endInTime(first);
    const second = await requestAfterPauses(2);
    await until(() => watch.state === 'live');
    expect([versionOf(second), watch.since]).toEqual(['99', clock.monotonic()]);
  });

  test('leave nothing covered until the new watch has begun', async () => {
    const watch = startWatch();
    const first = await request(1);
    await watch.ready();
    server.answerTo = () => ({ status: 503 });
    first.say({ type: 'ERROR', object: expired });
    await until(() => failures.length > 0);
    expect([watch.isCovering, watch.since]).toEqual([false, Number.POSITIVE_INFINITY]);
  });

  test('that follow each other are not without pause', async () => {
    startWatch();
    for (let number = 1; number <= 8; number += 1) {
      (await requestAfterPauses(number)).say({ type: 'ERROR', object: expired });
      await until(() => failures.length === number);
    }
    const before = server.watches.length;
    jest.advanceTimersByTime(2_000);
    await settled();
    expect(server.watches.length).toBe(before);
  });
});

describe('a failure', () => {
  test('of another kind than a gap leaves the coverage as it is', async () => {
    const watch = startWatch();
    const first = await request(1);
    first.say({ type: 'ERROR', object: { code: 500, message: 'etcdserver: request timed out' } });
    await until(() => failures.length === 1);
    expect([watch.state, watch.isCovering]).toEqual(['interrupted', true]);
    expect(failures[0]?.error.message).toContain('500: etcdserver: request timed out');
    expect(versionOf(await requestAfterPauses(2))).toBe('100');
  });

  test('is a watch that ends as soon as it begins, however cleanly', async () => {
    startWatch();
    (await request(1)).end();
    await until(() => failures.length === 1);
    expect(failures[0]?.error.message).toContain('ended the watch at once');
  });

  test('is a watch that says nothing and does not end in its time', async () => {
    const watch = startWatch();
    const first = await request(1);
    await watch.ready();
    jest.advanceTimersByTime(34_999);
    expect(first.signal.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    expect(first.signal.aborted).toBe(true);
    await until(() => watch.state === 'interrupted');
    await requestAfterPauses(2);
  });

  test('is a watch that does not begin within 5 s', async () => {
    const never = new Promise<never>(() => {});
    server.answerTo = (path) => (path.includes('watch=1') ? never : undefined);
    const watch = startWatch();
    await until(() => server.others.length === 1);
    await settled();
    jest.advanceTimersByTime(5_000);
    await watch.ready();
    expect([watch.state, watch.isCovering]).toEqual(['interrupted', false]);
  });

  test.each([
    ['no JSON', '<html>'],
    ['no list', '{"kind":"Status"}'],
    ['a version of 0', '{"metadata":{"resourceVersion":"0"}}'],
  ])('is a list that is %s', async (_, body) => {
    server.answerTo = () => ({ status: 200, body });
    const watch = startWatch();
    await watch.ready();
    expect(failures[0]?.error).toMatchObject({ code: 'answer_invalid' });
    expect(watch.isCovering).toBe(false);
  });

  /** How often it fails in the next so many seconds. */
  async function failuresIn(seconds: number): Promise<number> {
    const before = failures.length;
    for (let step = 0; step < 10 * seconds; step += 1) {
      await settled();
      jest.advanceTimersByTime(100);
    }
    return failures.length - before;
  }

  test.each([
    ['10 s', 503, 14, 30],
    // A kube-apiserver that has just started forbids everything for a moment.
    ['a minute where it is for want of rights', 403, 8, 12],
  ])('is tried again after longer and longer pauses, up to %s', async (_, status, least, most) => {
    server.answerTo = () => ({ status });
    startWatch();
    const soon = await failuresIn(2);
    expect(soon).toBeGreaterThanOrEqual(3);
    const total = soon + (await failuresIn(98));
    expect(total).toBeGreaterThanOrEqual(least);
    expect(total).toBeLessThanOrEqual(most);
    if (status === 403) expect(await failuresIn(300)).toBeLessThanOrEqual(10);
  });

  test('that the API server asks to wait after is not tried again before', async () => {
    server.answerTo = () => ({ status: 429, headers: { 'retry-after': '20' } });
    const watch = startWatch();
    await watch.ready();
    jest.advanceTimersByTime(19_999);
    await settled();
    expect(server.others).toHaveLength(1);
    jest.advanceTimersByTime(1);
    await until(() => server.others.length === 2);
  });

  test('for want of rights says which, and how to grant them', async () => {
    const message = 'pods is forbidden: User "system:serviceaccount:orders:orders" cannot list resource "pods"';
    server.answerTo = () => ({ status: 403, body: JSON.stringify({ kind: 'Status', message }) });
    const watch = startWatch();
    await watch.ready();
    expect(watch.state).toBe('forbidden');
    expect(failures[0]?.error.message).toBe(`We may not list and watch pods: HTTP 403: ${message}. Grant it to orders`);
    server.answerTo = () => undefined;
    await requestAfterPauses(1);
    await until(() => watch.state === 'live');
  });
});

describe('a namespace', () => {
  test('that does not exist is no empty one: it is looked for again', async () => {
    let exists = false;
    const missing = { status: 404, body: '{"kind":"Status","reason":"NotFound","message":"not found"}' };
    server.answerTo = (path) => (path.endsWith('/namespaces/shop') ? (exists ? { body: '{}' } : missing) : undefined);
    const watch = startWatch('Pod', 'shop');
    await watch.ready();
    expect([watch.isCovering, failures[0]?.error]).toEqual([false, expect.any(NamespaceMissing)]);
    exists = true;
    jest.advanceTimersByTime(60_000);
    await request(1);
    await until(() => watch.isCovering);
  });

  test('is looked for before each new start, and not before a resumption', async () => {
    startWatch('Pod', 'shop');
    endInTime(await request(1));
    const second = await request(2);
    const looked = (): number => server.others.filter(({ path }) => path === '/api/v1/namespaces/shop').length;
    expect(looked()).toBe(1);
    second.say({ type: 'ERROR', object: { code: 410 } });
    await requestAfterPauses(3);
    expect(looked()).toBe(2);
  });

  test('that we may not get says so', async () => {
    server.answerTo = (path) => (path.endsWith('/namespaces/shop') ? { status: 403 } : undefined);
    const watch = startWatch('Pod', 'shop');
    await watch.ready();
    expect(failures[0]?.error.message).toContain('We may not get the namespace shop: HTTP 403');
  });
});

describe('closing', () => {
  test('ends the request that is open, and no other begins', async () => {
    const watch = startWatch();
    const first = await request(1);
    await watch.ready();
    watch.close();
    expect(first.signal.aborted).toBe(true);
    jest.advanceTimersByTime(120_000);
    await settled();
    expect([server.watches.length, failures]).toEqual([1, []]);
  });

  test('ends a pause', async () => {
    server.answerTo = () => ({ status: 403 });
    const watch = startWatch();
    await watch.ready();
    watch.close();
    await until(() => jest.getTimerCount() === 0);
  });
});
