import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import type { CoreAuthenticator } from '../../src/authentication/authenticator.ts';
import type { LogEntry } from '../../src/authentication/log.ts';
import { k8sServiceAccountAuth } from '../../src/index.ts';
import { stderrLog } from '../../src/stderr-log.ts';
import type { TestCluster } from '../cluster/conformance/test-cluster.ts';
import { podAuthenticator } from './pod-authenticator.ts';
import { makeSurroundings, type Surroundings } from './surroundings.ts';

/** The deadline of a review, as it is by default. */
export const deadlineMs = 3_000;

export interface Answer {
  readonly status: number;
  /** `namespace/name of the Pod`, where the service knows its caller. */
  readonly caller: string | undefined;
  readonly retryAfter: string | null;
  /** On the clock of `performance.now()`. */
  readonly began: number;
  readonly tookMs: number;
}

/** A service as it runs in a Pod, what it depends on, and how to call it. */
export interface Stage extends Surroundings {
  readonly authenticator: CoreAuthenticator;
  readonly logged: readonly LogEntry[];
  /** What an operator sees on stderr. */
  readonly logLines: readonly string[];
  /** TokenReviews that were sent, retries included. */
  readonly calls: number;
  call(token: string | undefined): Promise<Answer>;
}

export interface StageOptions {
  /** Whether a front ends TLS before the API server. Default: no. */
  readonly fronted?: boolean;
  /** The API server's name or address, as the Pod knows it. Default: its address. */
  readonly host?: string;
}

export async function setStage(
  cluster: TestCluster,
  { fronted = false, host = '127.0.0.1' }: StageOptions = {},
): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const surroundings = stack.use(await makeSurroundings(cluster, fronted));
  const { network, directory, clock, lookup } = surroundings;
  const logged: LogEntry[] = [];
  const logLines: string[] = [];
  const toStderr = stderrLog(clock, (line) => logLines.push(line));
  let calls = 0;
  const authenticator = podAuthenticator({
    host,
    port: network.port,
    directory,
    timeoutMs: deadlineMs,
    clock: cluster.clock,
    agingClock: clock,
    log: (entry) => {
      logged.push(entry);
      toStderr(entry);
    },
    lookup,
    onCall: () => void (calls += 1),
  });
  stack.defer(() => authenticator.close());
  const app = express();
  app.use(k8sServiceAccountAuth({ authenticator }));
  app.get('/', (req, res) => {
    res.json({ caller: `${req.serviceAccount?.namespace}/${req.serviceAccount?.pod?.name}` });
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

  const disposables = stack.move();
  return {
    ...surroundings,
    authenticator,
    logged,
    logLines,
    get calls() {
      return calls;
    },
    async call(token) {
      const began = performance.now();
      const response = await fetch(url, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
      const text = await response.text();
      return {
        status: response.status,
        caller: response.status === 200 ? (JSON.parse(text) as { caller: string }).caller : undefined,
        retryAfter: response.headers.get('retry-after'),
        began,
        tookMs: performance.now() - began,
      };
    },
    [Symbol.asyncDispose]: () => disposables.disposeAsync(),
  };
}
