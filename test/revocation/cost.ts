// Measures what a watch costs: `node test/revocation/cost.ts`. 100,000 Pods come and go as events of a real size over TLS, at
// 10,000 events a second and then 1,000 for 20 s, from a process of its own.
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAuthenticator } from '../../src/authenticator.ts';
import { createServerCertificate } from '../../src/testing/simulated-cluster/certificate.ts';
import { fixedNursery } from '../support/fixed-nursery.ts';

const pods = 100_000;
const warmUpPods = 20_000;
const eventsPerPod = ['ADDED', 'MODIFIED', 'MODIFIED', 'DELETED'] as const;
/** More than any cluster has. */
const fastPerSecond = 10_000;
const steadyPerSecond = 1_000;
const steadySeconds = 20;

if (process.send !== undefined) await serveEvents();
else if (globalThis.gc !== undefined) await measureCost();
else
  process.exitCode =
    spawnSync(process.execPath, [...fixedNursery, import.meta.filename], { stdio: 'inherit' }).status ?? 1;

async function measureCost(): Promise<void> {
  const server = fork(import.meta.filename, { execArgv: [] });
  const [{ port, ca }] = (await once(server, 'message')) as [{ port: number; ca: string }];
  await using authenticator = createAuthenticator({
    audiences: 'orders',
    revocation: { namespaces: ['shop'] },
    kubeConfig: {
      getCurrentCluster: () => ({ server: `https://127.0.0.1:${port}` }),
      applyToHTTPSOptions: (options) => void (options.ca = ca),
    },
    log: false,
  });
  await authenticator.ready().catch(() => {});
  // V8 fills its nursery, and compiles: once, whatever comes after.
  await told(server, { events: warmUpPods * eventsPerPod.length, perSecond: fastPerSecond });
  await sleep(500);
  const before = memory();
  await told(server, { events: pods * eventsPerPod.length, perSecond: fastPerSecond });
  await sleep(500);
  const after = memory();
  const grown = (what: 'rss' | 'heapUsed'): string => `${((after[what] - before[what]) / 1e6).toFixed(1)} MB`;
  console.log(
    `${pods} Pods' worth of events: resident memory grew by ${grown('rss')}, the heap by ${grown('heapUsed')}`,
  );
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  await told(server, { events: steadyPerSecond * steadySeconds, perSecond: steadyPerSecond });
  const { user, system } = process.cpuUsage(cpuBefore);
  const part = (user + system) / 1_000 / (performance.now() - began);
  console.log(`${steadyPerSecond} events a second: ${(part * 100).toFixed(1)} % of a core`);
  server.disconnect();
}

interface Order {
  readonly events: number;
  readonly perSecond: number;
}

async function told(server: ReturnType<typeof fork>, order: Order): Promise<void> {
  server.send(order);
  await once(server, 'message');
}

function memory(): NodeJS.MemoryUsage {
  globalThis.gc?.();
  return process.memoryUsage();
}

/** The part of an API server that a watch asks for, without any work of its own. */
async function serveEvents(): Promise<void> {
  const { key, certificate, ca } = await createServerCertificate({
    dnsNames: ['localhost'],
    addresses: [Uint8Array.of(127, 0, 0, 1)],
  });
  let version = 1_000;
  let serial = 0;
  let watch: ServerResponse | undefined;
  const server = createServer({ key, cert: certificate }, (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'https://host');
    if (request.method !== 'GET') {
      response.writeHead(401).end('{}');
      return;
    }
    if (!searchParams.has('watch')) {
      response.end(JSON.stringify({ kind: 'List', metadata: { resourceVersion: String(version) } }));
      return;
    }
    response.writeHead(200).flushHeaders();
    if (pathname.endsWith('/pods')) watch = response;
    // As an API server does.
    setTimeout(() => response.end(), Number(searchParams.get('timeoutSeconds')) * 1_000);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.send?.({ port: (server.address() as AddressInfo).port, ca });
  process.once('disconnect', () => process.exit());
  const event = (type: string, pod: number): string => {
    version += 1;
    return `${JSON.stringify({ type, object: podMetadata(pod, version) })}\n`;
  };
  process.on('message', (order: Order) => {
    void (async () => {
      const send = async (text: string): Promise<void> => {
        while (watch === undefined || watch.writableEnded || watch.writableNeedDrain) await sleep(1);
        watch.write(text);
      };
      const began = performance.now();
      for (let sent = 0; sent < order.events;) {
        const due = Math.min(order.events, ((performance.now() - began) * order.perSecond) / 1_000);
        for (; sent < due; sent += 1) {
          if (sent % eventsPerPod.length === 0) serial += 1;
          await send(event(eventsPerPod[sent % eventsPerPod.length] ?? 'ADDED', serial));
        }
        await sleep(5);
      }
      process.send?.({ done: true });
    })();
  });
}

/** 1.7 kB, most of it who manages which field. */
function podMetadata(pod: number, resourceVersion: number): object {
  const uid = `00000000-0000-4000-8000-${String(pod).padStart(12, '0')}`;
  const fields = Object.fromEntries(
    Array.from({ length: 30 }, (_, index) => [`f:status.condition-${index}`, { '.': {} }]),
  );
  return {
    kind: 'PartialObjectMetadata',
    apiVersion: 'meta.k8s.io/v1',
    metadata: {
      name: `web-${pod}`,
      namespace: 'shop',
      uid,
      resourceVersion: String(resourceVersion),
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { app: 'web', 'pod-template-hash': '5d4f8c7b9' },
      managedFields: [{ manager: 'kubelet', operation: 'Update', fieldsType: 'FieldsV1', fieldsV1: fields }],
    },
  };
}
