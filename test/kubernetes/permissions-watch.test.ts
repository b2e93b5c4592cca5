import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { LogEntry } from '../../src/authentication/log.ts';
import { PermissionsWatch } from '../../src/kubernetes/permissions-watch.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { objectEvent, ScriptedApiServer, type ScriptedWatchRequest } from '../support/scripted-api-server.ts';
import { settled } from '../support/settled.ts';
import { until } from '../support/until.ts';

let server: ScriptedApiServer;
let logged: LogEntry[];
let changes: number;
let watch: PermissionsWatch;

beforeEach(() => {
  // Only what waits: streams and promises go on as they do.
  jest.useFakeTimers({
    doNotFake: ['setImmediate', 'clearImmediate', 'queueMicrotask', 'nextTick', 'setInterval', 'clearInterval', 'Date'],
  });
  server = new ScriptedApiServer();
  logged = [];
  changes = 0;
  watch = new PermissionsWatch(server.asApiServer, new FakeClock(), (entry) => logged.push(entry));
});
afterEach(async () => {
  watch.close();
  await until(() => jest.getTimerCount() === 0);
  jest.useRealTimers();
});

const start = (): void => watch.start(() => (changes += 1));

async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await settled();
}

/** Once it is live, and what was told of its beginning is over. */
async function live(): Promise<void> {
  start();
  await until(() => watch.state === 'live');
  await turns();
  jest.advanceTimersByTime(50);
  changes = 0;
}

function streamOf(resource: string): ScriptedWatchRequest {
  const stream = server.watches.findLast(({ path }) =>
    path.startsWith(`/apis/rbac.authorization.k8s.io/v1/${resource}?`),
  );
  if (stream === undefined) throw new Error(`Nobody watches ${resource}`);
  return stream;
}

async function said(resource: string, ...lines: readonly unknown[]): Promise<void> {
  streamOf(resource).say(...lines);
  await turns();
}

/** Pauses are over as soon as they begin. */
async function watchedAnew(resource: string, before: ScriptedWatchRequest): Promise<void> {
  for (let step = 0; step < 1_000 && streamOf(resource) === before; step += 1) {
    jest.advanceTimersByTime(100);
    await settled();
  }
  await until(() => watch.state === 'live');
  await turns();
}

const all = ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'];

test('nothing is watched before it is started', () => {
  expect([watch.state, server.others, server.watches]).toEqual([undefined, [], []]);
});

test('all four kinds are watched, in all namespaces, once however often it is started', async () => {
  start();
  expect(watch.state).toBe('starting');
  start();
  await until(() => watch.state === 'live');
  expect(server.watches.map(({ path }) => new URL(path, 'https://host').pathname)).toEqual(
    all.map((resource) => `/apis/rbac.authorization.k8s.io/v1/${resource}`),
  );
});

test.each(
  all.flatMap((resource) => (['ADDED', 'MODIFIED', 'DELETED'] as const).map((type) => [resource, type] as const)),
)('a change of %s is told: %s', async (resource, type) => {
  await live();
  await said(resource, objectEvent(type, '101'));
  expect(changes).toBe(1);
});

test('a bookmark is no change', async () => {
  await live();
  await said('roles', objectEvent('BOOKMARK', '101', {}));
  expect(changes).toBe(0);
});

test('that it has begun is told once, when all watches have: what was decided before may have changed unseen', async () => {
  const answers: (() => void)[] = [];
  server.answerTo = (path) =>
    path.includes('/clusterrolebindings?limit=1')
      ? new Promise((resolve) => {
          answers.push(() => resolve({ status: 200, body: '{"metadata":{"resourceVersion":"100"}}' }));
        })
      : undefined;
  start();
  await until(() => server.watches.length === 3);
  await turns();
  expect([watch.state, changes]).toEqual(['starting', 0]);
  for (const answer of answers) answer();
  await until(() => watch.state === 'live');
  await turns();
  expect(changes).toBe(1);
});

describe('many changes at once', () => {
  test('are told at once, and those within 50 ms together at their end', async () => {
    await live();
    await said('rolebindings', ...Array.from({ length: 100 }, (_, index) => objectEvent('DELETED', `${101 + index}`)));
    expect(changes).toBe(1);
    jest.advanceTimersByTime(49);
    expect(changes).toBe(1);
    jest.advanceTimersByTime(1);
    expect(changes).toBe(2);
  });

  test('are told of 20 times a second at most, for as long as they go on', async () => {
    await live();
    for (let step = 0; step < 200; step += 1) {
      await said('roles', objectEvent('MODIFIED', `${101 + step}`));
      jest.advanceTimersByTime(5);
    }
    expect(changes).toBeGreaterThan(10);
    expect(changes).toBeLessThanOrEqual(21);
  });

  test('and the next one after that is told at once', async () => {
    await live();
    await said('roles', objectEvent('MODIFIED', '101'), objectEvent('MODIFIED', '102'));
    jest.advanceTimersByTime(100);
    expect(changes).toBe(2);
    await said('roles', objectEvent('MODIFIED', '103'));
    expect(changes).toBe(3);
  });
});

describe('an interruption', () => {
  test('is no change: what happens meanwhile is told once it is over', async () => {
    await live();
    const before = streamOf('rolebindings');
    before.reset();
    await until(() => watch.state === 'interrupted');
    await watchedAnew('rolebindings', before);
    expect(changes).toBe(0);
    await said('rolebindings', objectEvent('DELETED', '101'));
    expect(changes).toBe(1);
  });

  test('that leaves a gap is one, as nobody tells what was in it', async () => {
    await live();
    const before = streamOf('clusterroles');
    before.say({ type: 'ERROR', object: { code: 410, message: 'too old' } });
    await watchedAnew('clusterroles', before);
    expect(changes).toBe(1);
  });
});

describe('rights that are missing', () => {
  beforeEach(() => {
    const message = 'roles is forbidden: User "system:serviceaccount:orders:api" cannot list';
    server.answerTo = () => ({ status: 403, body: JSON.stringify({ kind: 'Status', message }) });
  });

  test('are said once, with the manifest that grants them', async () => {
    start();
    await until(() => watch.state === 'forbidden');
    await turns();
    jest.advanceTimersByTime(600_000);
    await turns();
    expect(logged).toEqual([
      {
        level: 'warn',
        code: 'permissions_watch_forbidden',
        message: expect.stringMatching(/^The watch of Roles: We may not list and watch roles: .*`decisions\.maxAgeMs`/),
      },
    ]);
    const manifest = JSON.parse(/'(\{.*\})'/.exec(logged[0]?.message ?? '')?.[1] ?? '{}') as { items: unknown[] };
    expect(manifest.items).toEqual([
      expect.objectContaining({
        kind: 'ClusterRole',
        rules: [{ apiGroups: ['rbac.authorization.k8s.io'], resources: all, verbs: ['list', 'watch'] }],
      }),
      expect.objectContaining({
        kind: 'ClusterRoleBinding',
        subjects: [{ kind: 'ServiceAccount', namespace: 'orders', name: 'api' }],
      }),
    ]);
  });

  test('are taken up once they are there, which is a change', async () => {
    start();
    await until(() => watch.state === 'forbidden');
    await turns();
    jest.advanceTimersByTime(50);
    changes = 0;
    server.answerTo = () => undefined;
    for (let step = 0; step < 1_000 && watch.state !== 'live'; step += 1) {
      jest.advanceTimersByTime(1_000);
      await settled();
    }
    await turns();
    expect([watch.state, changes > 0]).toEqual(['live', true]);
    expect(logged.map(({ code }) => code)).toContain('watch_live');
  });
});

describe('once it is closed', () => {
  test('nothing is told or watched any more', async () => {
    await live();
    const stream = streamOf('roles');
    await said('roles', objectEvent('MODIFIED', '101'), objectEvent('MODIFIED', '102'));
    expect(changes).toBe(1);
    watch.close();
    jest.advanceTimersByTime(1_000);
    expect([changes, stream.signal.aborted]).toEqual([1, true]);
  });

  test('while it begins, that is not told either', async () => {
    start();
    watch.close();
    await turns();
    expect([changes, jest.getTimerCount()]).toEqual([0, 0]);
  });
});
