import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type SimulatedCluster, startSimulatedCluster } from '../src/testing/simulated-cluster/simulated-cluster.ts';
import { allowWatches } from './cluster/conformance/allow-watches.ts';

// Each in a process of its own, as only there it can be seen what keeps one alive.
const script = fileURLToPath(new URL('support/clean-life.ts', import.meta.url));

let cluster: SimulatedCluster;
let credential: string;
let tokens: string[];
beforeAll(async () => {
  cluster = await startSimulatedCluster();
  const pod = await cluster.createPod('shop/web-1', { serviceAccount: 'web' });
  const reviewer = await cluster.createServiceAccount('shop/orders');
  await cluster.allow('shop/orders', { verb: 'create', group: 'authentication.k8s.io', resource: 'tokenreviews' });
  await cluster.allow('shop/orders', {
    verb: 'create',
    group: 'authorization.k8s.io',
    resource: 'subjectaccessreviews',
  });
  await allowWatches(cluster, 'shop/orders');
  credential = await reviewer.token();
  tokens = await Promise.all(Array.from({ length: 20 }, () => pod.token({ audiences: 'orders' })));
});
afterAll(() => cluster.close());

/** What the process says of itself, and how it ended. */
async function live(life: string): Promise<{ readonly said: unknown; readonly exitCode: number }> {
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, life], {
    env: { ...inherited, SERVER: cluster.server, CA: cluster.ca, CREDENTIAL: credential, TOKENS: tokens.join(' ') },
  });
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  if (stderr !== '') throw new Error(stderr);
  return { said: JSON.parse(stdout), exitCode: exitCode as number };
}

describe('an authenticator that nobody closes keeps no process alive', () => {
  test.each(['used', 'used while watching'])(
    'once its reviews have ended: %s',
    async (life) => {
      expect(await live(life)).toEqual({ said: { outcomes: Array(20).fill('web') }, exitCode: 0 });
    },
    30_000,
  );

  test('while the API server is down, the circuit is open, and nothing was ever answered', async () => {
    using _ = cluster.fault('*', { reset: 'before' });
    const { said, exitCode } = await live('used');
    expect(said).toEqual({ outcomes: Array(20).fill(expect.stringMatching(/^api_server_(unreachable|down)$/)) });
    expect(exitCode).toBe(0);
  }, 30_000);
});

describe('close()', () => {
  const nothing = { sockets: 0, timers: 0 };

  test.each(['closed', 'closed while watching'])(
    'leaves nothing that keeps the process alive: %s',
    async (life) => {
      expect(await live(life)).toEqual({
        said: { outcomes: Array(20).fill('web'), later: 'authenticator_closed', left: nothing },
        exitCode: 0,
      });
    },
    30_000,
  );

  test('lets what waits end, by its deadline at the latest, refuses what comes later, and leaves nothing behind', async () => {
    using _ = cluster.fault('tokenreviews', { hang: true });
    expect(await live('closed while waiting')).toEqual({
      said: {
        outcomes: Array(20).fill('api_server_timeout'),
        ready: 'api_server_timeout',
        later: 'authenticator_closed',
        left: nothing,
      },
      exitCode: 0,
    });
  }, 30_000);

  test('refuses who waits for ready(), and opens no connection again', async () => {
    using _ = cluster.fault('*', { hang: true });
    expect(await live('closed before it is ready')).toEqual({
      said: { ready: 'authenticator_closed', later: 'authenticator_closed', left: nothing },
      exitCode: 0,
    });
  }, 30_000);
});
