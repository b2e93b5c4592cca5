import { Agent, request } from 'node:https';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
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
