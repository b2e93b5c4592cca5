import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { CoreAuthenticator } from '../../src/authentication/authenticator.ts';
import type { LogEntry } from '../../src/authentication/log.ts';
import { k8sServiceAccountAuth } from '../../src/index.ts';
import { ApiServer } from '../../src/kubernetes/api-server.ts';
import { apiServerReview } from '../../src/kubernetes/api-server-review.ts';
import { BoundedReviewer } from '../../src/kubernetes/bounded-reviewer.ts';
import { fetchKeySet } from '../../src/kubernetes/fetch-key-set.ts';
import { inClusterConnection } from '../../src/kubernetes/in-cluster-connection.ts';
import { PublishedKeys } from '../../src/kubernetes/published-keys.ts';
import { type SimulatedCluster, startSimulatedCluster } from '../../src/testing/simulated-cluster/simulated-cluster.ts';
import { FlakyNetwork } from './flaky-network.ts';

/** The deadline of a review. */
export const deadlineMs = 1_000;

export interface Answer {
  readonly status: number;
  /** `namespace/name of the Pod`, where the service knows its caller. */
  readonly caller: string | undefined;
  readonly retryAfter: string | null;
  readonly tookMs: number;
}

/** A service as it runs in a Pod, its API server behind a network that fails, and those who call it. */
export interface Stage extends AsyncDisposable {
  readonly cluster: SimulatedCluster;
  readonly network: FlakyNetwork;
  readonly authenticator: CoreAuthenticator;
  readonly logged: readonly LogEntry[];
  /** Where the Pod's credential is. */
  readonly directory: string;
  /** Another credential of the same ServiceAccount. */
  credential(): Promise<string>;
  /** A token of the Pod `shop/web-1` that nobody has seen. */
  validToken(): Promise<string>;
  /** One of a Pod that is gone. */
  refusedToken(): Promise<string>;
  call(token: string | undefined): Promise<Answer>;
}

export const validCaller = 'shop/web-1';

export async function setStage(): Promise<Stage> {
  const cluster = await startSimulatedCluster();
  const reviewer = await cluster.createServiceAccount('shop/orders-service');
  const create = { verb: 'create', group: 'authentication.k8s.io', resource: 'tokenreviews' };
  await cluster.allow('shop/orders-service', create);
  const web = await cluster.createPod(validCaller, { serviceAccount: 'web', node: 'node-a' });
  const network = new FlakyNetwork(Number(new URL(cluster.server).port));
  await network.start();
  const directory = await mkdtemp(join(tmpdir(), 'credential-'));
  await writeFile(join(directory, 'token'), await reviewer.token());
  await writeFile(join(directory, 'ca.crt'), cluster.ca);

  const { clock } = cluster;
  const logged: LogEntry[] = [];
  const log = (entry: LogEntry): void => void logged.push(entry);
  const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(network.port) };
  const limits = { timeoutMs: deadlineMs, maxConcurrent: 32, maxQueued: 1_024 };
  const apiServer = new ApiServer(async () => inClusterConnection(env, clock, log, directory), limits.maxConcurrent);
  const authenticator = new CoreAuthenticator({
    signatures: new PublishedKeys(() => fetchKeySet(apiServer, deadlineMs / 2), clock, log),
    reviewer: new BoundedReviewer(apiServerReview(apiServer), ['orders'], limits, () => apiServer.close()),
    audiences: ['orders'],
    maxEntries: 10_000,
    lifetimes: { maxAgeMs: 60_000, absoluteMaxAgeMs: 600_000, staleIfUnavailableMs: 0, rejectionMaxAgeMs: 10_000 },
    clock,
    log,
    random: Math.random,
  });
  const app = express();
  app.use(k8sServiceAccountAuth({ authenticator }));
  app.get('/', (req, res) => {
    res.json({ caller: `${req.serviceAccount?.namespace}/${req.serviceAccount?.pod?.name}` });
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  let pods = 0;

  return {
    cluster,
    network,
    authenticator,
    logged,
    directory,
    credential: () => reviewer.token(),
    validToken: () => web.token({ audiences: 'orders' }),
    async refusedToken() {
      pods += 1;
      const pod = await cluster.createPod(`shop/gone-${pods}`, { serviceAccount: 'web' });
      const token = await pod.token({ audiences: 'orders' });
      await pod.delete({ gracePeriodSeconds: 0 });
      return token;
    },
    async call(token) {
      const began = performance.now();
      const response = await fetch(url, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
      const text = await response.text();
      return {
        status: response.status,
        caller: response.status === 200 ? (JSON.parse(text) as { caller: string }).caller : undefined,
        retryAfter: response.headers.get('retry-after'),
        tookMs: performance.now() - began,
      };
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await authenticator.close();
      await network.stop();
      await cluster.close();
      await rm(directory, { recursive: true });
    },
  };
}
