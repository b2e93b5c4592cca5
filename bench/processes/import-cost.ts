// Run afresh for each measurement: what the first import of this package costs a service that has Express already.
import { registerHooks } from 'node:module';

const loaded: string[] = [];

/** Once all that can be collected is. */
function residentBytes(): number {
  for (let times = 0; times < 3; times++) global.gc?.();
  return process.memoryUsage.rss();
}

export interface ImportCost {
  /** Of CPU, the helper threads' too. */
  readonly milliseconds: number;
  readonly elapsedMs: number;
  readonly megabytes: number;
}

async function importCost(): Promise<ImportCost> {
  await import('express');
  const before = residentBytes();
  const started = performance.now();
  const cpu = process.cpuUsage();
  await import('k8s-service-account-auth');
  const elapsedMs = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  return { milliseconds: (user + system) / 1000, elapsedMs, megabytes: (residentBytes() - before) / 1024 / 1024 };
}

export interface InClusterStart {
  /** How often a module of client-node was loaded. */
  readonly clientNodeModules: number;
  readonly modules: number;
  /** How the start ended: outside a Pod there are no credentials to be read. */
  readonly code: unknown;
}

/** As far as a start in a Pod gets without one. */
async function inClusterStart(): Promise<InClusterStart> {
  registerHooks({
    load: (url, context, next) => {
      loaded.push(url);
      return next(url, context);
    },
  });
  const { createAuthenticator } = await import('k8s-service-account-auth');
  process.env['KUBERNETES_SERVICE_HOST'] = '127.0.0.1';
  process.env['KUBERNETES_SERVICE_PORT'] = '1';
  const authenticator = createAuthenticator({ audiences: 'orders', log: false });
  const code: unknown = await authenticator.ready().then(
    () => 'ready',
    (error: { readonly code?: unknown }) => error.code,
  );
  const clientNode = loaded.filter((url) => url.includes('/@kubernetes/client-node/'));
  return { clientNodeModules: clientNode.length, modules: loaded.length, code };
}

console.log(JSON.stringify(process.argv[2] === 'start' ? await inClusterStart() : await importCost()));
