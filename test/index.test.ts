import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { type SimulatedCluster, startSimulatedCluster } from '../src/testing/simulated-cluster/simulated-cluster.ts';

const source = (path: string): string => pathToFileURL(join(import.meta.dirname, '..', 'src', path)).href;

/** Runs a script in a Node of its own, which prints `result`, and tells which modules were loaded. */
async function run(script: string, env: Record<string, string> = {}): Promise<{ loaded: string[]; result: unknown }> {
  const code = `
    import { registerHooks } from 'node:module';
    import { readFileSync } from 'node:fs';
    const loaded = [];
    const directory = process.env.CREDENTIALS;
    registerHooks({
      load(url, context, next) {
        loaded.push(url);
        const module = next(url, context);
        if (directory === undefined || !url.endsWith('/in-cluster-connection.ts')) return module;
        // Every Pod has its credential in one place, which this process cannot write to.
        return { ...module, source: String(module.source).replace('/var/run/secrets/kubernetes.io/serviceaccount', directory) };
      },
    });
    let result;
    ${script}
    console.log(JSON.stringify({ loaded, result }));`;
  const { NODE_OPTIONS: _, KUBECONFIG: __, ...inherited } = process.env;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { env: { ...inherited, ...env } });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (stdout === '') throw new Error(stderr);
  return z.object({ loaded: z.array(z.string()), result: z.unknown() }).parse(JSON.parse(stdout));
}

const heavy = (loaded: readonly string[]): string[] => loaded.filter((url) => url.includes('client-node'));

let cluster: SimulatedCluster;
let directory: string;
beforeAll(async () => {
  cluster = await startSimulatedCluster();
  directory = await mkdtemp(join(tmpdir(), 'imports-'));
});
afterAll(async () => {
  await cluster.close();
  await rm(directory, { recursive: true });
});

test.each(['index.ts', 'authenticator.ts'])('importing src/%s loads no client-node', async (path) => {
  const { loaded, result } = await run(`result = Object.keys(await import('${source(path)}'));`);
  expect(result).toContain('createAuthenticator');
  expect(loaded).toContain(source(path));
  expect(heavy(loaded)).toEqual([]);
});

test('an in-cluster authenticator that performs reviews loads no client-node', async () => {
  const reviewer = await cluster.createServiceAccount('shop/orders-service');
  await cluster.allow('shop/orders-service', {
    verb: 'create',
    group: 'authentication.k8s.io',
    resource: 'tokenreviews',
  });
  await writeFile(join(directory, 'token'), await reviewer.token());
  await writeFile(join(directory, 'ca.crt'), cluster.ca);
  const caller = await cluster.createPod('shop/web-1', { serviceAccount: 'web' });
  const { hostname, port } = new URL(cluster.server);
  const { loaded, result } = await run(
    `const { createAuthenticator } = await import('${source('index.ts')}');
     const authenticator = createAuthenticator({ audiences: 'orders' });
     await authenticator.ready();
     result = await authenticator.authenticate(process.env.TOKEN);
     await authenticator.close();`,
    {
      KUBERNETES_SERVICE_HOST: hostname,
      KUBERNETES_SERVICE_PORT: port,
      CREDENTIALS: directory,
      TOKEN: await caller.token({ audiences: 'orders' }),
    },
  );
  expect(result).toMatchObject({ username: 'system:serviceaccount:shop:web', pod: { uid: caller.uid } });
  expect(loaded).toContain(source('kubernetes/in-cluster-connection.ts'));
  expect(heavy(loaded)).toEqual([]);
});

test('the same look at loaded modules does see client-node where a kubeconfig is read', async () => {
  const path = join(directory, 'kubeconfig');
  await writeFile(path, '{}');
  const { loaded, result } = await run(
    `const { createAuthenticator } = await import('${source('index.ts')}');
     const authenticator = createAuthenticator({ audiences: 'orders' });
     result = await authenticator.ready().catch((error) => error.code);`,
    { KUBECONFIG: path, KUBERNETES_SERVICE_HOST: '', KUBERNETES_SERVICE_PORT: '' },
  );
  expect(result).toBe('configuration_invalid');
  expect(heavy(loaded).length).toBeGreaterThan(10);
}, 30_000);
