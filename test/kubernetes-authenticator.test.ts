import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Authenticator, createAuthenticator, type LogEntry, type ServiceAccountIdentity } from '../src/index.ts';
import { type SimulatedCluster, startSimulatedCluster } from '../src/testing/index.ts';
import { caught } from './support/caught.ts';
import { settled } from './support/settled.ts';
import { until } from './support/until.ts';

const orders = { verb: 'get', group: 'orders.example.com', resource: 'orders', namespace: 'shop' };

let cluster: SimulatedCluster;
let token: string;
let logged: LogEntry[];
beforeAll(async () => {
  cluster = await startSimulatedCluster();
  const pod = await cluster.createPod('shop/web-1', { serviceAccount: 'web' });
  token = await pod.token({ audiences: 'orders' });
  await cluster.allow('shop/web', orders);
  await cluster.allow('shop/web', { verb: 'get', path: '/reports/*' });
});
afterAll(() => cluster.close());
beforeEach(() => {
  logged = [];
});

async function identified(
  options: Parameters<typeof createAuthenticator>[0] = {},
): Promise<{ readonly authenticator: Authenticator; readonly identity: ServiceAccountIdentity }> {
  const authenticator = createAuthenticator({
    kubeConfig: cluster.kubeConfig,
    audiences: 'orders',
    log: (entry) => void logged.push(entry),
    ...options,
  });
  return { authenticator, identity: await authenticator.authenticate(token) };
}

test('what Roles allow is allowed, and nothing else', async () => {
  const { authenticator, identity } = await identified();
  await using _ = authenticator;

  expect(await authenticator.allowed(identity, orders)).toBe(true);
  expect(await authenticator.allowed(identity, { ...orders, name: 'order-1' })).toBe(true);
  expect(await authenticator.allowed(identity, { ...orders, verb: 'delete' })).toBe(false);
  expect(await authenticator.allowed(identity, { ...orders, namespace: 'attic' })).toBe(false);
  expect(await authenticator.allowed(identity, { verb: 'get', path: '/reports/2026' })).toBe(true);
  expect(await authenticator.allowed(identity, { verb: 'get', path: '/secrets' })).toBe(false);
});

test('thirty questions cost one round of reviews over few connections, and then none', async () => {
  const { authenticator, identity } = await identified({ review: { maxConcurrent: 4 } });
  await using _ = authenticator;
  const before = cluster.requests.subjectaccessreviews;
  const ask = (): Promise<boolean[]> =>
    Promise.all(
      Array.from({ length: 30 }, (__, index) => authenticator.allowed(identity, { ...orders, name: `order-${index}` })),
    );

  expect(await ask()).toEqual(Array.from({ length: 30 }, () => true));
  expect(await ask()).toEqual(Array.from({ length: 30 }, () => true));
  expect(cluster.requests.subjectaccessreviews - before).toBe(30);
  expect(cluster.connections.open).toBeLessThanOrEqual(4 + 1);
});

test('wrong attributes, and something that is no identity, are errors of the program', async () => {
  const { authenticator, identity } = await identified();
  await using _ = authenticator;

  expect(await caught(authenticator.allowed(identity, { ...orders, name: '' }))).toBeInstanceOf(TypeError);
  expect(await caught(authenticator.allowed(undefined as never, orders))).toMatchObject({
    message: 'allowed: expected an identity, and got none',
  });
  expect(await caught(authenticator.allowed('web' as never, orders))).toBeInstanceOf(TypeError);
});

test('a caller that gives up gets its own reason, and the decision is there for the next', async () => {
  const { authenticator, identity } = await identified();
  await using _ = authenticator;
  const abort = new AbortController();
  const abandoned = caught(authenticator.allowed(identity, orders, { signal: abort.signal }));
  abort.abort('gone');

  expect(await abandoned).toBe('gone');
  expect(await authenticator.allowed(identity, orders)).toBe(true);
  expect(await caught(authenticator.allowed(identity, orders, { signal: abort.signal }))).toBe('gone');
});

describe('where nobody can say', () => {
  test('it is 503, told to listeners and to the operator', async () => {
    const { authenticator, identity } = await identified({ review: { timeoutMs: 300 } });
    await using _ = authenticator;
    const events: unknown[] = [];
    for (const event of ['accessReviewed', 'unavailable'] as const) {
      authenticator.on(event, (payload) => events.push({ event, payload }));
    }
    const fault = cluster.fault('subjectaccessreviews', { hang: true });
    const error = await caught(authenticator.allowed(identity, orders));
    fault[Symbol.dispose]();

    expect(error).toMatchObject({ status: 503, headers: { 'Retry-After': '1' } });
    expect(events).toMatchObject([
      {
        event: 'accessReviewed',
        payload: { outcome: 'unavailable', identity, permission: 'get orders.orders.example.com in namespace shop' },
      },
      { event: 'unavailable', payload: { code: 'api_server_timeout' } },
    ]);
    expect(logged).toHaveLength(1);
    expect(await authenticator.allowed(identity, orders)).toBe(true);
  });

  test('because we may not ask, the operator is told which right is missing', async () => {
    const orphan = await cluster.createServiceAccount('shop/orphan');
    await cluster.allow('shop/orphan', { verb: 'create', group: 'authentication.k8s.io', resource: 'tokenreviews' });
    const { authenticator, identity } = await identified({ kubeConfig: cluster.kubeConfigOf(await orphan.token()) });
    await using _ = authenticator;

    expect(await caught(authenticator.allowed(identity, orders))).toMatchObject({ code: 'reviewer_forbidden' });
    expect(logged).toMatchObject([
      { code: 'reviewer_forbidden', message: expect.stringMatching(/SubjectAccessReviews.*system:auth-delegator/) },
    ]);
  });

  test('because the authenticator is closed, nothing is sent', async () => {
    const { authenticator, identity } = await identified();
    await authenticator.allowed(identity, orders);
    await authenticator.close();
    const before = cluster.requests.subjectaccessreviews;

    expect(await caught(authenticator.allowed(identity, orders))).toMatchObject({
      code: 'authenticator_closed',
      status: 503,
    });
    expect(cluster.requests.subjectaccessreviews).toBe(before);
  });

  test('because a reviewer of the user makes the reviews, that is an error of the program', async () => {
    await using authenticator = createAuthenticator({ reviewer: () => Promise.reject(new Error('none')), log: false });

    expect(await caught(authenticator.allowed({ username: 'x' } as ServiceAccountIdentity, orders))).toMatchObject({
      name: 'TypeError',
      message: expect.stringContaining('`kubeConfig`'),
    });
  });
});

test('close() lets decisions that are being made end', async () => {
  const { authenticator, identity } = await identified();
  using _ = cluster.fault('subjectaccessreviews', { delayMs: 50 });
  const decision = authenticator.allowed(identity, { ...orders, name: 'last' });
  while (cluster.requests.pending === 0) await new Promise((resolve) => setImmediate(resolve));
  await authenticator.close();

  expect(await decision).toBe(true);
});

test('a caller reviewed anew is asked about anew', async () => {
  const { authenticator, identity } = await identified({ cache: { maxAgeMs: 0 } });
  await using _ = authenticator;
  const before = cluster.requests.subjectaccessreviews;
  await authenticator.allowed(identity, orders);
  await authenticator.allowed(identity, orders);
  await authenticator.allowed(await authenticator.authenticate(token), orders);

  expect(cluster.requests.subjectaccessreviews - before).toBe(2);
});

describe('the calling Pod', () => {
  test('is looked at once per TokenReview, and anew by the next', async () => {
    const pod = await cluster.createPod('shop/seen', {
      serviceAccount: 'web',
      labels: { app: 'web' },
      podIP: '10.0.0.7',
    });
    const seen = await pod.token({ audiences: 'orders' });
    let later = 0;
    const clock = { now: () => Date.now(), monotonic: () => performance.now() + later };
    const { authenticator } = await identified({ clock });
    await using _ = authenticator;
    const identity = await authenticator.authenticate(seen);
    const before = cluster.requests.pods;

    const expected = { labels: { app: 'web' }, ips: ['10.0.0.7'], hostNetwork: false };
    expect(await authenticator.callingPod(identity)).toEqual(expected);
    expect(await authenticator.callingPod(identity)).toEqual(expected);
    expect(cluster.requests.pods - before).toBe(1);
    later = 60_000;
    expect(await authenticator.callingPod(await authenticator.authenticate(seen))).toEqual(expected);
    expect(cluster.requests.pods - before).toBe(2);
  });

  test('is undefined once it is gone, and where the token is bound to none', async () => {
    const pod = await cluster.createPod('shop/short', { serviceAccount: 'web' });
    const { authenticator } = await identified();
    await using _ = authenticator;
    const identity = await authenticator.authenticate(await pod.token({ audiences: 'orders' }));
    await pod.delete();
    await cluster.createPod('shop/short', { serviceAccount: 'web' });

    expect(await authenticator.callingPod(identity)).toBeUndefined();
    const { pod: __, ...podless } = identity;
    expect(await authenticator.callingPod(podless)).toBeUndefined();
  });

  test('cannot be looked at without the right to, which is 503 and said to the operator', async () => {
    const blind = await cluster.createServiceAccount('shop/blind');
    await cluster.allow('shop/blind', { verb: 'create', group: 'authentication.k8s.io', resource: 'tokenreviews' });
    const { authenticator, identity } = await identified({ kubeConfig: cluster.kubeConfigOf(await blind.token()) });
    await using _ = authenticator;

    expect(await caught(authenticator.callingPod(identity))).toMatchObject({ code: 'reviewer_forbidden', status: 503 });
    expect(logged).toMatchObject([{ code: 'reviewer_forbidden', message: expect.stringContaining('get Pods') }]);
  });
});

describe('with the watch', () => {
  const frozen = { now: () => Date.now(), monotonic: () => 0 };
  const watching = (options: Parameters<typeof createAuthenticator>[0] = {}) =>
    identified({ revocation: 'watch', ...options });
  const decision = async (decided: Promise<boolean>, wanted: boolean): Promise<boolean> => (await decided) === wanted;

  test('rights are watched once one is asked about, and not before', async () => {
    const { authenticator, identity } = await watching();
    await using _ = authenticator;
    await authenticator.ready();
    await authenticator.callingPod(identity);
    expect([authenticator.status().permissionsWatch, cluster.requests['watch/rbac']]).toEqual([undefined, 0]);

    await authenticator.allowed(identity, orders);
    await until(() => authenticator.status().permissionsWatch === 'live');
    await until(() => cluster.requests['watch/rbac'] === 4);
  });

  test('nothing is watched without it', async () => {
    const before = cluster.requests['watch/rbac'];
    const { authenticator, identity } = await identified();
    await using _ = authenticator;
    await authenticator.allowed(identity, orders);
    await settled();
    expect([authenticator.status().permissionsWatch, cluster.requests['watch/rbac']]).toEqual([undefined, before]);
  });

  test('a right that is withdrawn is gone, and one that is granted there, while time stands still', async () => {
    const { authenticator, identity } = await watching({ clock: frozen });
    await using _ = authenticator;
    const role = { kind: 'Role', metadata: { namespace: 'shop', name: 'refunder' } };
    const binding = { kind: 'RoleBinding', metadata: { namespace: 'shop', name: 'refunds' } };
    await cluster.rbac({
      ...role,
      rules: [{ verbs: ['create'], apiGroups: ['orders.example.com'], resources: ['refunds'] }],
    });
    const refund = (): Promise<boolean> =>
      authenticator.allowed(identity, { ...orders, verb: 'create', resource: 'refunds' });
    expect(await refund()).toBe(false);
    await until(() => authenticator.status().permissionsWatch === 'live');
    await cluster.rbac({
      ...binding,
      roleRef: { kind: 'Role', name: 'refunder' },
      subjects: [{ kind: 'ServiceAccount', namespace: 'shop', name: 'web' }],
    });
    while (!(await decision(refund(), true))) await settled();
    await cluster.request('DELETE', '/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings/refunds');
    while (!(await decision(refund(), false))) await settled();
    expect(await refund()).toBe(false);
  });

  test('without the right to watch Roles all works as without it, and the operator is told once', async () => {
    const limited = await cluster.createServiceAccount('shop/limited');
    for (const [group, resource] of [
      ['authentication.k8s.io', 'tokenreviews'],
      ['authorization.k8s.io', 'subjectaccessreviews'],
    ] as const) {
      await cluster.allow('shop/limited', { verb: 'create', group, resource });
    }
    const { authenticator, identity } = await watching({ kubeConfig: cluster.kubeConfigOf(await limited.token()) });
    await using _ = authenticator;
    expect(await authenticator.allowed(identity, orders)).toBe(true);
    await until(() => authenticator.status().permissionsWatch === 'forbidden');
    expect(await authenticator.allowed(identity, orders)).toBe(true);
    expect(logged.map(({ code }) => code).toSorted()).toEqual(['permissions_watch_forbidden', 'watch_forbidden']);
  });

  test('a label that a Pod gets or loses is known, while time stands still', async () => {
    const { authenticator } = await watching({ clock: frozen });
    await using _ = authenticator;
    await authenticator.ready();
    const pod = await cluster.createPod('shop/labelled', { serviceAccount: 'web', labels: { tier: 'front' } });
    const identity = await authenticator.authenticate(await pod.token({ audiences: 'orders' }));
    const labels = async (): Promise<unknown> => (await authenticator.callingPod(identity))?.labels;
    expect(await labels()).toEqual({ tier: 'front' });
    const headers = { 'content-type': 'application/merge-patch+json' };
    await cluster.request('PATCH', pod.path, { metadata: { labels: { tier: null } } }, { headers });
    while (JSON.stringify(await labels()) !== '{}') await settled();
  });
});
