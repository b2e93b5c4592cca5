import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { LogEntry } from '../../src/authentication/log.ts';
import { ApiServer } from '../../src/kubernetes/api-server.ts';
import { ClusterWatch, type ClusterWatchOptions } from '../../src/kubernetes/cluster-watch.ts';
import { kubeConfigConnection } from '../../src/kubernetes/kube-config-connection.ts';
import { type SimulatedCluster, startSimulatedCluster } from '../../src/testing/simulated-cluster/simulated-cluster.ts';
import { RecordedRevocations } from '../support/recorded-revocations.ts';
import { until } from '../support/until.ts';

let cluster: SimulatedCluster;
let told: RecordedRevocations;
let logged: LogEntry[];
let apiServer: ApiServer;
const open: ClusterWatch[] = [];

beforeEach(async () => {
  cluster = await startSimulatedCluster();
  told = new RecordedRevocations();
  logged = [];
});
afterEach(async () => {
  for (const watch of open.splice(0)) watch.close();
  apiServer.close();
  await cluster.close();
});

async function watchAs(token?: string, options: Partial<ClusterWatchOptions> = {}): Promise<ClusterWatch> {
  const kubeConfig = token === undefined ? cluster.kubeConfig : cluster.kubeConfigOf(token);
  apiServer = new ApiServer(async () => kubeConfigConnection(kubeConfig, () => {}), 4);
  const all = { namespaces: undefined, maxAgeMs: 60_000, ...options };
  const watch = new ClusterWatch(apiServer, all, cluster.clock, (entry) => logged.push(entry));
  open.push(watch);
  watch.start(told);
  await watch.ready();
  return watch;
}

const allLive = { Pod: 'live', ServiceAccount: 'live', Node: 'live' };
const uidsTold = (): string[] => told.heard.map(([, , uid]) => uid);

describe('what is deleted is told', () => {
  test('of Pods, ServiceAccounts and Nodes, and so is what terminates', async () => {
    const watch = await watchAs();
    expect([watch.states, logged]).toEqual([allLive, []]);
    const pod = await cluster.createPod('shop/web-1', { serviceAccount: 'web', node: 'node-a' });
    const held = await cluster.createPod('shop/web-2', { finalizers: ['example.com/hold'] });
    const other = await cluster.createServiceAccount('shop/other');
    const node = await cluster.createNode('node-b');
    for (const object of [pod, other, node, held]) await object.delete();
    await until(() => uidsTold().includes(held.uid));
    expect(told.heard).toEqual(
      expect.arrayContaining([
        ['deleted', 'Pod', pod.uid],
        ['deleted', 'ServiceAccount', other.uid],
        ['deleted', 'Node', node.uid],
        ['terminating', 'Pod', held.uid, expect.any(Number)],
      ]),
    );
  });

  test('though it happens while the API server cannot be reached, once it can be, and that is no gap', async () => {
    const watch = await watchAs();
    const since = watch.coverage('Pod', 'shop')?.since;
    const pod = await cluster.createPod('shop/web-1');
    {
      using _ = cluster.fault('*', { status: 503 });
      cluster.disconnect('reset');
      await until(() => watch.states.Pod === 'interrupted');
      await pod.delete();
    }
    await until(() => uidsTold().includes(pod.uid));
    await until(() => watch.states.Pod === 'live');
    expect(watch.coverage('Pod', 'shop')?.since).toBe(since);
  });

  test('across the end of a watch in its time', async () => {
    const watch = await watchAs();
    const before = cluster.requests['watch/pods'];
    const since = watch.coverage('Pod', 'shop')?.since;
    // A watch that ends within its first second has failed, so this one lives a little.
    await new Promise((resolve) => setTimeout(resolve, 1_010));
    cluster.clock.advance(30_000);
    const pod = await cluster.createPod('shop/web-1');
    await pod.delete();
    await until(() => uidsTold().includes(pod.uid));
    expect([cluster.requests['watch/pods'], watch.coverage('Pod', 'shop')?.since]).toEqual([before + 1, since]);
  });

  test('after a restart of the API server, which is a gap', async () => {
    const watch = await watchAs();
    const since = watch.coverage('Pod', 'shop')?.since ?? Number.NaN;
    cluster.restart();
    await until(() => (watch.coverage('Pod', 'shop')?.since ?? since) > since);
    const pod = await cluster.createPod('shop/web-1');
    await pod.delete();
    await until(() => uidsTold().includes(pod.uid));
    expect(logged).toEqual([]);
  });
});

describe('what is looked at', () => {
  test('is seen as it is now', async () => {
    const watch = await watchAs();
    const pod = await cluster.createPod('shop/web-1');
    expect(await watch.lookAt('Pod', 'shop', 'web-1')).toEqual({ uid: pod.uid, deletionTimestamp: undefined });
    expect(await watch.lookAt('Pod', 'shop', 'web-2')).toBeUndefined();
    expect(logged).toEqual([]);
  });

  test('and cannot be known is nothing that was seen, and is said', async () => {
    const watch = await watchAs();
    using _ = cluster.fault('serviceaccounts', { status: 400 });
    expect(await watch.lookAt('ServiceAccount', 'shop', 'web')).toBeUndefined();
    expect(logged).toEqual([
      {
        level: 'warn',
        code: 'object_unseen',
        message: expect.stringContaining(
          'ServiceAccount shop/web could not be looked at, so that its identities have the short term',
        ),
      },
    ]);
  });
});

test('Pods that come to be, change, or go are told by their uid, and nothing else is', async () => {
  const watch = await watchAs();
  const changed: string[] = [];
  watch.onPodChange((uid) => changed.push(uid));
  const account = await cluster.createServiceAccount('shop/web');
  const pod = await cluster.createPod('shop/web-1', { serviceAccount: 'web' });
  await pod.setFinalizers(['example.com/hold']);
  await account.delete();
  await until(() => uidsTold().includes(account.uid));
  await pod.setFinalizers([]);
  await pod.delete();
  await until(() => uidsTold().includes(pod.uid));
  expect(new Set(changed)).toEqual(new Set([pod.uid]));
  expect(changed.length).toBeGreaterThanOrEqual(4);
});

describe('rights', () => {
  const reviewer = async (): Promise<string> => (await cluster.createServiceAccount('orders/orders')).token();
  const granted = (message: string): unknown[] => {
    const { items } = JSON.parse(/'(\{.*\})'/.exec(message)?.[1] ?? '{}') as { items: unknown[] };
    return items;
  };

  test('that are missing are said once, with the manifest that grants them, and it works as it is', async () => {
    const token = await reviewer();
    const watch = await watchAs(token);
    expect(watch.states).toEqual({ Pod: 'forbidden', ServiceAccount: 'forbidden', Node: 'forbidden' });
    expect(watch.coverage('Pod', 'shop')).toBeUndefined();
    expect(logged).toEqual([{ level: 'warn', code: 'watch_forbidden', message: expect.any(String) }]);
    const items = granted(logged[0]?.message ?? '') as { kind: string }[];
    expect(items.map(({ kind }) => kind)).toEqual(['ClusterRole', 'ClusterRoleBinding']);
    for (const { kind, ...object } of items) {
      const path = `/apis/rbac.authorization.k8s.io/v1/${kind.toLowerCase()}s`;
      expect((await cluster.request('POST', path, { kind, ...object })).status).toBe(201);
    }
    expect((await watchAs(token)).states).toEqual(allLive);
  });

  test('that a kube-apiserver forbids for a moment after its start are there again soon, and nothing is said of it', async () => {
    const watch = await watchAs();
    {
      using _ = cluster.fault('pods', { status: 403 });
      cluster.restart();
      await until(() => watch.states.Pod === 'forbidden');
    }
    await until(() => watch.states.Pod === 'live');
    expect(logged).toEqual([]);
  });

  test('are needed for named namespaces only there, and for Nodes', async () => {
    await cluster.createNamespace('shop');
    const token = await reviewer();
    await watchAs(token, { namespaces: ['shop'] });
    for (const object of granted(logged[0]?.message ?? '') as { kind: string; metadata: { namespace?: string } }[]) {
      const { namespace } = object.metadata;
      const place = namespace === undefined ? '' : `namespaces/${namespace}/`;
      const path = `/apis/rbac.authorization.k8s.io/v1/${place}${object.kind.toLowerCase()}s`;
      expect((await cluster.request('POST', path, object)).status).toBe(201);
    }
    const watch = await watchAs(token, { namespaces: ['shop'] });
    expect(watch.states).toEqual(allLive);
    const pod = await cluster.createPod('shop/web-1');
    await pod.delete();
    await until(() => uidsTold().includes(pod.uid));
  });
});

describe('namespaces', () => {
  test('that are not named are not covered; Nodes are in none', async () => {
    await cluster.createNamespace('shop');
    await cluster.createNamespace('billing');
    const watch = await watchAs(undefined, { namespaces: ['shop', 'billing'] });
    const covered = (kind: 'Pod' | 'ServiceAccount' | 'Node', namespace: string): boolean =>
      watch.coverage(kind, namespace) !== undefined;
    expect([covered('Pod', 'shop'), covered('ServiceAccount', 'billing'), covered('Node', 'other')]).toEqual(
      Array(3).fill(true),
    );
    expect([covered('Pod', 'other'), covered('ServiceAccount', 'other')]).toEqual([false, false]);
    const elsewhere = await cluster.createPod('other/web-1');
    const here = await cluster.createPod('billing/web-1');
    await elsewhere.delete();
    await here.delete();
    await until(() => uidsTold().includes(here.uid));
    expect(new Set(uidsTold())).toEqual(new Set([here.uid]));
  });

  test('that do not exist are said, and not taken for covered', async () => {
    await cluster.createNamespace('shop');
    const watch = await watchAs(undefined, { namespaces: ['shop', 'shoop'] });
    expect(watch.coverage('Pod', 'shoop')).toBeUndefined();
    expect(watch.coverage('Pod', 'shop')).toBeDefined();
    expect(logged.map(({ code }) => code)).toEqual(['watch_namespace_missing', 'watch_namespace_missing']);
    expect(logged[0]?.message).toContain('The namespace shoop does not exist');
    expect(watch.states).toEqual({ Pod: 'interrupted', ServiceAccount: 'interrupted', Node: 'live' });
  });
});

describe('trouble', () => {
  test('is said once when it lasts, and once when it is over', async () => {
    const watch = await watchAs();
    {
      using fault = cluster.fault('pods', { status: 503 });
      cluster.disconnect('reset');
      await until(() => watch.states.Pod === 'interrupted');
      while (fault.hits < 4) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    while (watch.states.Pod !== 'live') await new Promise((resolve) => setTimeout(resolve, 50));
    expect(logged.map(({ level, code }) => [level, code])).toEqual([
      ['warn', 'watch_interrupted'],
      ['info', 'watch_live'],
    ]);
  }, 20_000);

  test('of no importance is a single failure', async () => {
    const watch = await watchAs();
    cluster.disconnect('end');
    await until(() => watch.states.Pod === 'interrupted');
    await until(() => watch.states.Pod === 'live');
    expect(logged).toEqual([]);
  });
});

test('takes connections of its own, three for the whole cluster, and gives them back when it is closed', async () => {
  const watch = await watchAs();
  expect(cluster.connections.open).toBe(3);
  watch.close();
  await until(() => cluster.connections.open === 0);
});

test('never keeps the process alive, whether it watches or waits to', async () => {
  const script = `
    const { createAuthenticator } = await import('${pathToFileURL(join(import.meta.dirname, '../../src/authenticator.ts')).href}');
    for (const revocation of ['watch', { namespaces: ['nowhere'] }]) {
      const authenticator = createAuthenticator({
        audiences: 'orders',
        log: false,
        revocation,
        kubeConfig: {
          getCurrentCluster: () => ({ server: process.env.SERVER }),
          applyToHTTPSOptions: (options) => {
            options.ca = process.env.CA;
            options.headers = { Authorization: 'Bearer ' + process.env.TOKEN };
          },
        },
      });
      await authenticator.ready();
      authenticator.onRevoked({ uid: 'uid', namespace: 'shop', reviewedAt: Date.now() }, () => {});
      console.log(authenticator.status().watches.Node);
    }`;
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  const token = await (await cluster.createServiceAccount('orders/orders')).token();
  const can = (verb: string, resource: string, group = '') => ({ verb, group, resource });
  await cluster.allow('orders/orders', can('create', 'tokenreviews', 'authentication.k8s.io'));
  for (const resource of ['pods', 'serviceaccounts', 'nodes']) {
    await cluster.allow('orders/orders', can('list', resource), can('watch', resource));
  }
  await watchAs();
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...inherited, SERVER: cluster.server, CA: cluster.ca, TOKEN: token },
  });
  const [[code], stdout, stderr] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  expect([code, stdout, stderr.replaceAll(/^.*(?:ExperimentalWarning|trace-warnings).*\n/gm, '')]).toEqual([
    0,
    'live\nlive\n',
    '',
  ]);
}, 30_000);
