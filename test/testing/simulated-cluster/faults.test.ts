import { Agent, request } from 'node:https';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openWatch } from '../../support/open-watch.ts';
import type { Fault } from '../../../src/testing/simulated-cluster/faults.ts';
import {
  type SimulatedCluster,
  startSimulatedCluster,
} from '../../../src/testing/simulated-cluster/simulated-cluster.ts';

let cluster: SimulatedCluster;
let agent: Agent;
beforeEach(async () => {
  cluster = await startSimulatedCluster();
  agent = new Agent({ ca: cluster.ca, keepAlive: true });
});
afterEach(async () => {
  agent.destroy();
  await cluster.close();
});

interface Outcome {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: string;
  /** Why the body is not whole. */
  readonly broken?: string;
  readonly chunks: number;
}

/** A call of a user of the cluster: rejects without an answer. */
function call(path = '/version'): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, cluster.server), { agent }, (response) => {
      sent.off('error', reject).once('error', () => undefined); // from here on the response tells it too
      let body = '';
      let chunks = 0;
      const outcome = (): Outcome => ({ status: response.statusCode ?? 0, headers: response.headers, body, chunks });
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
        chunks += 1;
      });
      response.once('end', () => resolve(outcome()));
      response.once('error', (error: NodeJS.ErrnoException) => resolve({ ...outcome(), broken: String(error.code) }));
    });
    sent.once('error', reject);
    sent.end();
  });
}

test('hang: no answer until the fault is lifted, then the connection is dropped', async () => {
  let settled = false;
  const fault = cluster.fault('version', { hang: true });
  const outcome = call().catch((error: unknown) => error);
  void outcome.then(() => (settled = true));
  await seen(() => fault.hits === 1);
  await call('/healthz'); // others are served meanwhile
  expect(settled).toBe(false);
  fault[Symbol.dispose]();

  expect(await outcome).toMatchObject({ code: 'ECONNRESET' });
  expect((await call()).status).toBe(200);
  expect(cluster.requests.pending).toBe(0);
});

test('a hung request does not keep the cluster from closing', async () => {
  const fault = cluster.fault('*', { hang: true });
  const outcome = call().catch((error: unknown) => error);
  await seen(() => fault.hits === 1);
  await cluster.close();

  expect(await outcome).toMatchObject({ code: 'ECONNRESET' });
});

test('status with a body and headers', async () => {
  using _ = cluster.fault('version', { status: 429, body: 'later', headers: { 'retry-after': '7' } });
  expect(await call()).toMatchObject({ status: 429, body: 'later', headers: { 'retry-after': '7' } });
});

describe('status', () => {
  test('comes with a Status object by default', async () => {
    using _ = cluster.fault('version', { status: 503, headers: { 'retry-after': '7' } });
    const { status, headers, body } = await call();

    expect(status).toBe(503);
    expect(headers).toMatchObject({ 'retry-after': '7', 'content-type': 'application/json' });
    expect(JSON.parse(body)).toMatchObject({ kind: 'Status', status: 'Failure', code: 503 });
  });

  test.each([
    ['<html>', 'text/plain', '<html>'],
    [{ odd: true }, 'application/json', '{"odd":true}'],
    [null, 'application/json', 'null'],
  ])('with the body %j', async (body, contentType, text) => {
    using _ = cluster.fault('version', { status: 500, body });
    expect(await call()).toMatchObject({ status: 500, body: text, headers: { 'content-type': contentType } });
  });
});

test('reset before: there is no answer', async () => {
  using _ = cluster.fault('version', { reset: 'before' });
  await expect(call()).rejects.toMatchObject({ code: 'ECONNRESET' });
});

test.each<[string, Fault]>([
  ['reset mid-answer', { reset: 'mid-answer' }],
  ['half a body', { halfBody: true }],
])('%s: the status comes, the body does not come whole', async (_, fault) => {
  using active = cluster.fault('version', fault);
  const { status, body, broken, headers } = await call();

  expect(status).toBe(200);
  expect(active.hits).toBe(1);
  expect(broken).toBe('ECONNRESET');
  expect(body.length).toBeGreaterThan(0);
  expect(body.length).toBeLessThan(Number(headers['content-length']));
});

test('delay: the right answer, later', async () => {
  using _ = cluster.fault('version', { delayMs: 50 });
  const start = performance.now();

  expect((await call()).status).toBe(200);
  expect(performance.now() - start).toBeGreaterThanOrEqual(49);
});

test.each([
  [{ body: '{"kind":' }, 'application/json', '{"kind":'],
  [{ body: Buffer.from('<html>'), contentType: 'text/html' }, 'text/html', '<html>'],
])('body %j: the right status with it', async (fault, contentType, body) => {
  using _ = cluster.fault('version', fault);
  expect(await call()).toMatchObject({ status: 200, body, headers: { 'content-type': contentType } });
});

test('redirect: a 307 to that URL', async () => {
  using _ = cluster.fault('version', { redirect: 'http://elsewhere.example' });

  expect(await call()).toMatchObject({ status: 307, headers: { location: 'http://elsewhere.example' } });
});

test('drip: the right answer in small pieces', async () => {
  const whole = await call();
  using _ = cluster.fault('version', { drip: { bytes: 10, everyMs: 2 } });
  const dripped = await call();

  expect(dripped.body).toBe(whole.body);
  expect(dripped.chunks).toBeGreaterThan(2);
});

test('a hung request whose caller goes away is over', async () => {
  using fault = cluster.fault('version', { hang: true });
  const sent = request(new URL('/version', cluster.server), { agent });
  sent.once('error', () => undefined).end();
  await seen(() => fault.hits === 1);
  sent.destroy();
  await seen(() => cluster.requests.pending === 0);
});

test('a fault that is lifted while the request is still being sent drops the connection too', async () => {
  const fault = cluster.fault('tokenreviews', { hang: true });
  const url = new URL('/apis/authentication.k8s.io/v1/tokenreviews', cluster.server);
  const sent = request(url, { agent, method: 'POST', headers: { 'content-length': 2 } });
  const outcome = new Promise((resolve) => sent.once('error', resolve));
  sent.write('{');
  await seen(() => fault.hits === 1);
  fault[Symbol.dispose]();
  sent.end('}');

  expect(await outcome).toMatchObject({ code: 'ECONNRESET' });
});

describe('silence', () => {
  const pods = '/api/v1/namespaces/shop/pods?watch=1';

  test('watches, open ones too, say nothing until the fault is lifted, and then all they have missed', async () => {
    using early = await openWatch(cluster.kubeConfig, pods);
    const fault = cluster.fault('watch/pods', { silence: true });
    using late = await openWatch(cluster.kubeConfig, pods);
    using nodes = await openWatch(cluster.kubeConfig, '/api/v1/nodes?watch=1');
    const pod = await cluster.createPod('shop/web-1', { node: 'node-1' });
    await nodes.find(({ object }) => object.metadata.name === 'node-1');
    await pod.delete();
    await call(); // others are answered meanwhile
    expect([early.events, late.events]).toEqual([[], []]);
    expect(fault.hits).toBeGreaterThan(0);
    fault[Symbol.dispose]();

    for (const watch of [early, late]) {
      await watch.find(({ type }) => type === 'DELETED');
      expect(watch.events.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
    }
  });

  test('and not even that their time is over', async () => {
    const fault = cluster.fault('watch/*', { silence: true });
    using watch = await openWatch(cluster.kubeConfig, `${pods}&timeoutSeconds=30`);
    let isOver = false;
    void watch.ended.then(() => (isOver = true));
    await cluster.createPod('shop/web-1');
    cluster.clock.advance(31_000);
    await call();
    expect(isOver).toBe(false);
    fault[Symbol.dispose]();

    expect(await watch.ended).toBe('end');
    expect(watch.events.map(({ type }) => type)).toEqual(['ADDED']);
  });
});

test('a fault that watches meet as a whole keeps them from beginning', async () => {
  using _ = cluster.fault('watch/*', { status: 503 });
  using watch = await openWatch(cluster.kubeConfig, '/apis/rbac.authorization.k8s.io/v1/roles?watch=1');
  expect(watch.status).toBe(503);
  expect(cluster.requests).toMatchObject({ 'watch/rbac': 1, rbac: 0 });
});

describe('which requests a fault hits', () => {
  test('those of its kind', async () => {
    using fault = cluster.fault('jwks', { status: 500 });

    expect((await call()).status).toBe(200);
    expect((await call('/openid/v1/jwks')).status).toBe(500);
    expect(fault.hits).toBe(1);
  });

  test('as many as `times` says', async () => {
    using fault = cluster.fault('*', { status: 500 }, { times: 2 });
    const statuses = [await call(), await call(), await call()].map(({ status }) => status);

    expect(statuses).toEqual([500, 500, 200]);
    expect(fault.hits).toBe(2);
  });

  test('the latest of several wins, and lifting it leaves the others', async () => {
    using _ = cluster.fault('*', { status: 500 });
    {
      using latest = cluster.fault('version', { status: 502 });
      expect((await call()).status).toBe(502);
      expect(latest.hits).toBe(1);
    }
    expect((await call()).status).toBe(500);
  });

  test("never the cluster's own", async () => {
    using fault = cluster.fault('*', { hang: true });
    const pod = await cluster.createPod('shop/web-1');

    expect(await pod.token()).toContain('.');
    expect(fault.hits).toBe(0);
  });
});

async function seen(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}
