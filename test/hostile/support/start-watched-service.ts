import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SimulatedCluster } from '../../../src/testing/simulated-cluster/simulated-cluster.ts';

/** A service in a process of its own, called `shop/orders-service` in its cluster. */
export interface WatchedService extends AsyncDisposable {
  readonly port: number;
  /** A folder that lasts as long as the service. */
  readonly directory: string;
  /** Gives it another credential, and returns that. */
  rotateCredential(): Promise<string>;
  /** Has it do or say something: see `watched-service.ts`. */
  told(order: string, value?: unknown): Promise<unknown>;
}

export async function startWatchedService(
  cluster: SimulatedCluster,
  env: Readonly<Record<string, string>> = {},
): Promise<WatchedService> {
  const reviewer = await cluster.createServiceAccount('shop/orders-service');
  await cluster.allow('shop/orders-service', {
    verb: 'create',
    group: 'authentication.k8s.io',
    resource: 'tokenreviews',
  });
  const directory = await mkdtemp(join(tmpdir(), 'watched-service-'));
  const rotateCredential = async (): Promise<string> => {
    const credential = await reviewer.token();
    await writeFile(join(directory, 'token'), credential);
    return credential;
  };
  await rotateCredential();
  await writeFile(join(directory, 'ca.crt'), cluster.ca);
  const main = fileURLToPath(new URL('watched-service.ts', import.meta.url));
  const service = fork(main, [directory, new URL(cluster.server).port], {
    execArgv: [],
    env: { ...process.env, NODE_OPTIONS: '--disable-warning=ExperimentalWarning', ...env },
  });
  await once(service, 'message');
  const told = async (order: string, value?: unknown): Promise<unknown> => {
    service.send({ order, value });
    const [{ answer }] = (await once(service, 'message')) as [{ answer: unknown }];
    return answer;
  };
  return {
    port: (await told('port')) as number,
    directory,
    rotateCredential,
    told,
    async [Symbol.asyncDispose]() {
      const exited = once(service, 'exit');
      service.disconnect();
      await exited;
      await rm(directory, { recursive: true });
    },
  };
}
