import { randomBytes } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import type { LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../src/authentication/clock.ts';
import { serviceAccountToken } from '../cluster/conformance/service-account-token.ts';
import type { TestCluster } from '../cluster/conformance/test-cluster.ts';
import { FlakyNetwork } from './flaky-network.ts';
import { Front } from './front.ts';

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

/** What a service in a Pod depends on: a credential, and an API server behind a network that fails. */
export interface Surroundings extends AsyncDisposable {
  readonly cluster: TestCluster;
  readonly network: FlakyNetwork;
  /** Stands between the network and the API server where it was asked for. */
  readonly front: Front;
  readonly clock: AgingClock;
  /** Resolves the API server's host name. */
  readonly lookup: LookupFunction;
  /** Makes the API server's host name resolve like this from now on. */
  readonly resolveBy: (lookup: LookupFunction) => void;
  /** `namespace/name` of the ServiceAccount that the service runs as. */
  readonly serviceAccount: string;
  /** Another credential of that ServiceAccount. */
  readonly credential: () => Promise<string>;
  /** Where the Pod finds its credential. */
  readonly directory: string;
  /** Replaces a file of the Pod's credential, or takes it away. */
  readonly write: (file: 'token' | 'ca.crt', content: string | undefined) => Promise<void>;
  /** What the file of that name held at first. */
  readonly original: Readonly<Record<'token' | 'ca.crt', string>>;
}

export const onLoopback: LookupFunction = (_host, { all }, callback) => {
  if (all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
};

/** @param fronted whether a front ends TLS before the API server */
export async function makeSurroundings(cluster: TestCluster, fronted: boolean): Promise<Surroundings> {
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
  const write: Surroundings['write'] = async (file, content) => {
    if (content === undefined) return rm(join(directory, file));
    // In one step, as the kubelet does it.
    await writeFile(join(directory, `new-${file}`), content);
    await rename(join(directory, `new-${file}`), join(directory, file));
  };
  await write('token', original.token);
  await write('ca.crt', original['ca.crt']);

  let lookup = onLoopback;
  const disposables = stack.move();
  return {
    cluster,
    network,
    front,
    clock: new AgingClock(cluster.clock),
    lookup: (...call) => lookup(...call),
    resolveBy: (other) => {
      lookup = other;
    },
    serviceAccount,
    credential: () => serviceAccountToken(client, serviceAccount),
    directory,
    write,
    original,
    [Symbol.asyncDispose]: () => disposables.disposeAsync(),
  };
}
