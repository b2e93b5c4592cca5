import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { audience } from './bench.ts';
import type { Connection } from './processes/cluster.ts';
import { TemporaryFolder } from './temporary-folder.ts';

const startTimeoutMs = 10_000;

export interface KubeRbacProxy extends AsyncDisposable {
  readonly url: string;
}

/** The binary that `KUBE_RBAC_PROXY` names, in front of a service; `undefined` where it names none. */
export async function startKubeRbacProxy(connection: Connection, upstream: string): Promise<KubeRbacProxy | undefined> {
  const binary = process.env['KUBE_RBAC_PROXY'];
  if (!binary) return undefined;
  const { origin, pathname } = new URL(upstream);
  const folder = new TemporaryFolder('bench-kube-rbac-proxy');
  const kubeConfig = join(folder.path, 'kubeconfig.yaml');
  await writeFile(kubeConfig, connection.kubeConfigYaml, { mode: 0o600 });
  const address = `127.0.0.1:${await freePort()}`;
  const proxy = spawn(
    binary,
    [
      // Without TLS, as the services beside it.
      `--insecure-listen-address=${address}`,
      `--upstream=${origin}/`,
      `--kubeconfig=${kubeConfig}`,
      `--auth-token-audiences=${audience}`,
      // Its client would hold the first requests back otherwise, 5 a second.
      '--kube-api-qps=100000',
      '--kube-api-burst=100000',
    ],
    { stdio: ['ignore', 'ignore', 'ignore'] },
  );
  const kill = (): boolean => proxy.kill();
  process.on('exit', kill);
  // A binary that cannot be started has no pid, and is told of below.
  const ended = once(proxy, 'exit').catch(() => undefined);
  const stop = async (): Promise<void> => {
    kill();
    await ended;
    process.off('exit', kill);
    folder[Symbol.dispose]();
  };
  const deadline = performance.now() + startTimeoutMs;
  while (!(await isListening(`http://${address}`))) {
    if (proxy.pid === undefined || proxy.exitCode !== null || performance.now() > deadline) {
      await stop();
      throw new Error(`${binary} (KUBE_RBAC_PROXY) did not start`);
    }
    await sleep(50);
  }
  return { url: `http://${address}${pathname}`, [Symbol.asyncDispose]: stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function isListening(url: string): Promise<boolean> {
  try {
    await fetch(url);
    return true;
  } catch {
    return false;
  }
}
