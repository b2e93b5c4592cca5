import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { audience } from './bench.ts';
import type { Connection } from './processes/cluster.ts';

const startTimeoutMs = 10_000;

export interface KubeRbacProxy extends AsyncDisposable {
  readonly url: string;
}

/** The binary that `KUBE_RBAC_PROXY` names, in front of a service; `undefined` where it names none. */
export async function startKubeRbacProxy(connection: Connection, upstream: string): Promise<KubeRbacProxy | undefined> {
  const binary = process.env['KUBE_RBAC_PROXY'];
  if (!binary) return undefined;
  const { origin, pathname } = new URL(upstream);
  const folder = await mkdtemp(join(tmpdir(), 'bench-kube-rbac-proxy-'));
  const kubeConfig = join(folder, 'kubeconfig.yaml');
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
  const ended = once(proxy, 'exit');
  const stop = async (): Promise<void> => {
    if (proxy.pid !== undefined && proxy.exitCode === null) {
      proxy.kill();
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = performance.now() + startTimeoutMs;
  while (!(await isListening(`http://${address}`))) {
    if (proxy.exitCode !== null || performance.now() > deadline) {
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
