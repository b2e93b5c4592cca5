import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { ApiServer } from '../../src/kubernetes/api-server.ts';
import { kubeConfigConnection } from '../../src/kubernetes/kube-config-connection.ts';
import { type SimulatedCluster, startSimulatedCluster } from '../../src/testing/simulated-cluster/simulated-cluster.ts';

const never = new AbortController().signal;

let cluster: SimulatedCluster;
beforeAll(async () => {
  cluster = await startSimulatedCluster();
});
afterAll(() => cluster.close());

let passedMs = 0;
const open: ApiServer[] = [];
afterEach(() => {
  passedMs = 0;
  jest.restoreAllMocks();
  for (const one of open.splice(0)) one.close();
});

/** Calls, and a clock that is moved by hand; `random` says how long connections live. */
function agedBy(random: number): { readonly calls: (count: number) => Promise<number> } {
  const began = performance.now();
  jest.spyOn(performance, 'now').mockImplementation(() => began + passedMs);
  jest.spyOn(Math, 'random').mockReturnValue(random);
  const api = new ApiServer(async () => kubeConfigConnection(cluster.kubeConfig, () => {}), 8);
  open.push(api);
  return {
    /** How many connections it took to make so many calls at once. */
    calls: async (count) => {
      const before = cluster.connections.opened;
      await Promise.all(Array.from({ length: count }, () => api.get('/version', 'application/json', never)));
      return cluster.connections.opened - before;
    },
  };
}

test.each([
  ['half of five minutes at least', 0, 150_000],
  ['five minutes at most', 1, 300_000],
])('a connection lives %s, and then gives way to a new one', async (_, random, lifeMs) => {
  const { calls } = agedBy(random);
  expect(await calls(1)).toBe(1);
  passedMs = lifeMs - 1;
  expect(await calls(1)).toBe(0);
  passedMs = lifeMs;
  // The call that finds out is answered on the old one still.
  expect(await calls(1)).toBe(0);
  expect(await calls(1)).toBe(1);
  expect(await calls(1)).toBe(0);
});

test('every one of several connections is replaced, and the old ones are closed', async () => {
  const { calls } = agedBy(0);
  expect(await calls(8)).toBe(8);
  const before = cluster.connections.open;
  passedMs = 150_000;
  expect(await calls(8)).toBe(0);
  while (cluster.connections.open > before - 8) await new Promise((resolve) => setImmediate(resolve));
  expect(await calls(8)).toBe(8);
  passedMs = 299_999;
  expect(await calls(8)).toBe(0);
});

test('connections that are not in use keep no process alive', async () => {
  const source = (path: string): string => pathToFileURL(join(import.meta.dirname, '../../src', path)).href;
  const script = `
    const { ApiServer } = await import('${source('kubernetes/api-server.ts')}');
    const connection = async () => ({
      server: new URL(process.env.SERVER),
      requestOptions: async () => ({ ca: process.env.CA }),
    });
    const api = new ApiServer(connection, 4);
    const { signal } = new AbortController();
    const answers = await Promise.all([1, 2, 3].map(() => api.get('/version', 'application/json', signal)));
    console.log(answers.map(({ status }) => status).join());`;
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...inherited, SERVER: cluster.server, CA: cluster.ca },
  });
  const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  expect([stdout.trim(), code]).toEqual(['200,200,200', 0]);
});
