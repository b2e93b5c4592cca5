import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { once } from 'node:events';
import { connect } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { type SimulatedCluster, startSimulatedCluster } from '../../src/testing/simulated-cluster/simulated-cluster.ts';
import { writeKubeconfig } from '../cluster/kubeconfig.ts';
import { until } from '../support/until.ts';
import { type Run, runExample } from './run.ts';

let cluster: SimulatedCluster;
let folder: string;
const running: Run[] = [];

beforeEach(async () => {
  cluster = await startSimulatedCluster();
  folder = await mkdtemp(path.join(tmpdir(), 'orders-service-'));
});
afterEach(async () => {
  for (const { process: child, ended } of running.splice(0)) {
    child.kill('SIGKILL');
    await ended;
  }
  await cluster.close();
  await rm(folder, { recursive: true });
});

function start(file: string, env: Record<string, string>): Run {
  const started = runExample(`orders-service/${file}`, [], {
    env: { ...process.env, KUBERNETES_SERVICE_HOST: '', KUBERNETES_SERVICE_PORT: '', ...env },
  });
  running.push(started);
  return started;
}

/** The service as a process of its own, reviewing as `orders/orders`. */
async function startService(): Promise<Run> {
  const serviceAccount = await cluster.createServiceAccount('orders/orders');
  const kubeconfig = path.join(folder, 'kubeconfig.yaml');
  await writeKubeconfig(kubeconfig, { server: cluster.server, ca: cluster.ca, token: await serviceAccount.token() });
  return start('main.ts', { KUBECONFIG: kubeconfig, PORT: '0' });
}

async function urlOf(service: Run): Promise<string> {
  const [, port] = await service.until(/"event":"listening".*"port":(\d+)/);
  return `http://127.0.0.1:${port}`;
}

const reviews = { verb: 'create', group: 'authentication.k8s.io', resource: 'tokenreviews' } as const;
const watches = ['pods', 'serviceaccounts', 'nodes'].flatMap((resource) =>
  ['list', 'watch'].map((verb) => ({ verb, group: '', resource })),
);

describe('The orders service', () => {
  test('serves the example caller, logs why others are refused, and stops cleanly on SIGTERM', async () => {
    await cluster.allow('orders/orders', reviews, ...watches);
    const service = await startService();
    const url = await urlOf(service);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const readyz = await fetch(`${url}/readyz`);
    expect([readyz.status, await readyz.json()]).toEqual([
      200,
      expect.objectContaining({ state: 'open', circuit: 'closed', keysFetchedAt: expect.any(Number) }),
    ]);

    const pod = await cluster.createPod('shop/web-1', { serviceAccount: 'web' });
    const tokenFile = path.join(folder, 'token');
    await writeFile(tokenFile, `${await pod.token({ audiences: 'orders' })}\n`);
    const caller = start('caller.ts', { ORDERS_URL: url, ORDERS_TOKEN_FILE: tokenFile });
    const [line] = await caller.until(/^.+$/m);
    expect(line).toBe('200 {"id":"7","caller":"shop/web","pod":"web-1"}');

    const stranger = await cluster.createPod('billing/report-1', { serviceAccount: 'report' });
    const authorization = `Bearer ${await stranger.token({ audiences: 'orders' })}`;
    const refused = await fetch(`${url}/orders/7`, { headers: { authorization } });
    expect([refused.status, await refused.json()]).toEqual([
      403,
      { error: 'The calling ServiceAccount may not do this' },
    ]);
    await service.until(/"event":"refused","guard":"namespace shop","caller":"system:serviceaccount:billing:report"/);

    service.process.kill('SIGTERM');
    expect([await service.ended, service.stderr()]).toEqual([0, '']);
  }, 30_000);

  test('serves a WebSocket for as long as the Pod at its other end exists', async () => {
    await cluster.allow('orders/orders', reviews, ...watches);
    const service = await startService();
    const url = await urlOf(service);
    const listen = async (name: string) => {
      const pod = await cluster.createPod(name, { serviceAccount: 'web' });
      const headers = { authorization: `Bearer ${await pod.token({ audiences: 'orders' })}` };
      const webSocket = new WebSocket(url.replace('http', 'ws'), { headers });
      const [greeting] = (await once(webSocket, 'message')) as [Buffer];
      expect(String(greeting)).toBe(JSON.stringify({ listening: pod.name }));
      return { pod, headers, webSocket };
    };
    const [first, second] = [await listen('shop/web-1'), await listen('shop/web-2')];

    await first.pod.delete();
    const [code, reason] = (await once(first.webSocket, 'close')) as [number, Buffer];
    expect([code, String(reason)]).toEqual([1008, 'revoked']);
    await service.until(/"event":"revoked","kind":"Pod"/);

    const update = once(second.webSocket, 'message');
    expect((await fetch(`${url}/refunds`, { method: 'POST', headers: second.headers })).status).toBe(201);
    expect(String((await update)[0])).toBe('{"refundedBy":"web-2"}');

    service.process.kill('SIGTERM');
    expect(await once(second.webSocket, 'close')).toEqual([1001, expect.anything()]);
    expect([await service.ended, service.stderr()]).toEqual([0, '']);
  }, 30_000);

  test('outlives who asks for a WebSocket and hangs up before it is known who that is', async () => {
    await cluster.allow('orders/orders', reviews, ...watches);
    const service = await startService();
    const url = new URL(await urlOf(service));
    const token = await (await cluster.createPod('shop/web-1')).token({ audiences: 'orders' });
    const hung = cluster.fault('tokenreviews', { hang: true });
    const caller = connect(Number(url.port), url.hostname);
    const lines = ['GET / HTTP/1.1', 'Host: orders', 'Connection: Upgrade', 'Upgrade: websocket'];
    caller.write([...lines, `Authorization: Bearer ${token}`, '', ''].join('\r\n'));
    await until(() => hung.hits === 1);
    caller.resetAndDestroy();
    await once(caller, 'close');
    hung[Symbol.dispose]();
    expect((await fetch(new URL('/healthz', url))).status).toBe(200);
    service.process.kill('SIGTERM');
    expect([await service.ended, service.stderr()]).toEqual([0, '']);
  }, 30_000);

  test('says how to let it watch, and serves without', async () => {
    await cluster.allow('orders/orders', reviews);
    const service = await startService();
    expect((await fetch(`${await urlOf(service)}/readyz`)).status).toBe(200);
    expect(service.stderr()).toMatch(/"code":"watch_forbidden".*kubectl apply -f - /);
  }, 30_000);

  test('does not start without the right to create TokenReviews, and says how to grant it', async () => {
    const service = await startService();
    expect(await service.ended).toBe(1);
    expect(service.stderr()).toContain('Bind the ClusterRole system:auth-delegator');
    expect(service.stdout()).toBe('');
  }, 30_000);
});
