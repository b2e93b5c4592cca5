import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo, LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import type { CoreAuthenticator } from '../../src/authentication/authenticator.ts';
import type { Clock } from '../../src/authentication/clock.ts';
import type { LogEntry } from '../../src/authentication/log.ts';
import { k8sServiceAccountAuth } from '../../src/index.ts';
import { stderrLog } from '../../src/stderr-log.ts';
import { serviceAccountToken } from '../cluster/conformance/service-account-token.ts';
import type { TestCluster } from '../cluster/conformance/test-cluster.ts';
import { FlakyNetwork } from './flaky-network.ts';
import { Front } from './front.ts';
import { podAuthenticator } from './pod-authenticator.ts';

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

/** Ages of files and keys, which a test makes pass faster. */
export class AgingClock implements Clock {
  readonly #clock: Clock;
  #advancedMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic() + this.#advancedMs;
  }

  advance(ms: number): void {
    this.#advancedMs += ms;
  }
}

/** A service as it runs in a Pod, its API server behind a network that fails, and where to call it. */
export interface Stage extends AsyncDisposable {
  readonly cluster: TestCluster;
  readonly network: FlakyNetwork;
  /** Stands between the network and the API server where the stage was set with one. */
  readonly front: Front;
  readonly clock: AgingClock;
  readonly authenticator: CoreAuthenticator;
  readonly logged: readonly LogEntry[];
  /** What an operator sees on stderr. */
  readonly logLines: readonly string[];
  /** TokenReviews that were sent, retries included. */
  readonly calls: number;
  /** `namespace/name` of the ServiceAccount that the service runs as. */
  readonly serviceAccount: string;
  /** Another credential of that ServiceAccount. */
  readonly credential: () => Promise<string>;
  /** Replaces a file of the Pod's credential, or takes it away. */
  readonly write: (file: 'token' | 'ca.crt', content: string | undefined) => Promise<void>;
  /** What the file of that name held at first. */
  readonly original: Readonly<Record<'token' | 'ca.crt', string>>;
  /** Makes the API server's host name resolve like this from now on. */
  readonly resolveBy: (lookup: LookupFunction) => void;
  call(token: string | undefined): Promise<Answer>;
}

export interface StageOptions {
  /** Whether a front ends TLS before the API server. Default: no. */
  readonly fronted?: boolean;
  /** The API server's name or address, as the Pod knows it. Default: its address. */
  readonly host?: string;
}

export const onLoopback: LookupFunction = (_host, { all }, callback) => {
  if (all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
};

export async function setStage(
  cluster: TestCluster,
  { fronted = false, host = '127.0.0.1' }: StageOptions = {},
): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const { client } = cluster;
  const serviceAccount = `orders-${randomBytes(4).toString('hex')}/reviewer`;
  await client.createServiceAccount(serviceAccount);
  await cluster.allowReviews(serviceAccount);

  const front = stack.adopt(await Front.start(client), (one) => one.close());
  const network = new FlakyNetwork(fronted ? front.port : Number(new URL(client.server).port));
  await network.start();
  stack.defer(() => network.stop());
  const original = {
    token: await serviceAccountToken(client, serviceAccount),
    'ca.crt': fronted ? front.ca : client.ca,
  };
  const directory = await mkdtemp(join(tmpdir(), 'credential-'));
  stack.defer(() => rm(directory, { recursive: true }));
  const write: Stage['write'] = async (file, content) => {
    if (content === undefined) return rm(join(directory, file));
    // In one step, as the kubelet does it.
    await writeFile(join(directory, `new-${file}`), content);
    await rename(join(directory, `new-${file}`), join(directory, file));
  };
  await write('token', original.token);
  await write('ca.crt', original['ca.crt']);

  const clock = new AgingClock(cluster.clock);
  const logged: LogEntry[] = [];
  const logLines: string[] = [];
  const toStderr = stderrLog(clock, (line) => logLines.push(line));
  let calls = 0;
  let lookup = onLoopback;
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
    lookup: (...call) => lookup(...call),
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
    cluster,
    network,
    front,
    clock,
    authenticator,
    logged,
    logLines,
    get calls() {
      return calls;
    },
    serviceAccount,
    credential: () => serviceAccountToken(client, serviceAccount),
    write,
    original,
    resolveBy: (other) => {
      lookup = other;
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
