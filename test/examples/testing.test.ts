import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';
import { createAuthenticator } from '../../src/index.ts';
import { startSimulatedCluster } from '../../src/testing/index.ts';
import { run } from './run.ts';

// The examples run as in a project of their own: with the built package, and with no dependencies but those declared.
// It is built for this test alone, as others may be rewriting dist/ meanwhile.
const root = path.resolve(import.meta.dirname, '../..');
const examples = path.join(root, 'examples/testing');
const runners = [
  { runner: 'jest', folder: 'jest', module: '@jest/globals', passed: /^Tests: +(\d+) passed, \d+ total$/m },
  { runner: 'vitest', folder: 'vitest', module: 'vitest', passed: /^ +Tests +(\d+) passed \(\d+\)$/m },
  { runner: 'node', folder: 'node-test', module: 'node:test', passed: /^\S+ pass (\d+)\n\S+ fail 0$/m },
] as const;

let project: string;

beforeAll(async () => {
  project = await mkdtemp(path.join(tmpdir(), 'testing-examples-'));
  await cp(examples, project, { recursive: true });
  const modules = path.join(project, 'node_modules');
  await mkdir(modules);
  await Promise.all([buildPackageInto(path.join(modules, 'k8s-service-account-auth')), linkDependenciesInto(modules)]);
}, 60_000);

afterAll(async () => {
  await rm(project, { recursive: true, force: true });
});

describe.each(runners)('The example for $runner', ({ runner, folder, module, passed }) => {
  test('passes, with all of its tests', async () => {
    const { exitCode, output } = await runTests(project, runner);
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: expect.stringMatching(passed) });
    const written = (await example(`${folder}/service.test.js`)).match(/^ +test\(/gm);
    expect(Number(passed.exec(output)?.[1])).toBe(written?.length);
  }, 60_000);

  test('differs from the others in its first line only', async () => {
    const [first, ...rest] = (await example(`${folder}/service.test.js`)).split('\n');
    expect(first).toBe(`import { afterEach, beforeEach, describe, test } from '${module}';`);
    expect(rest).toEqual((await example('jest/service.test.js')).split('\n').slice(1));
  });
});

test('The examples fail where the service forgets a guard', async () => {
  const broken = path.join(project, 'broken');
  await cp(examples, broken, { recursive: true });
  const service = await example('service.js');
  const withoutGuard = service.replace("requireNamespace('shop'), ", '');
  expect(withoutGuard).not.toBe(service);
  await writeFile(path.join(broken, 'service.js'), withoutGuard);
  const { exitCode, output } = await runTests(broken, 'node');
  expect({ exitCode, output }).toEqual({ exitCode: 1, output: expect.stringMatching(/^\S+ fail 1$/m) });
  expect(output).toContain('expected 403 "Forbidden", got 200 "OK"');
}, 60_000);

describe('docs/testing.md', () => {
  test('shows the service and the tests whole', async () => {
    const blocks = await codeBlocks();
    expect(blocks).toContain(await example('service.js'));
    expect(blocks.join('\n')).toContain(await example('jest/service.test.js'));
  });

  test('shows no line of code but what runs', async () => {
    const files = await readdir(examples, { recursive: true });
    const running = await Promise.all([
      ...files.filter((file) => file.endsWith('.js')).map(example),
      readFile(import.meta.filename, 'utf8'),
    ]);
    const lines = new Set(running.flatMap(trimmedLines));
    const shown = (await codeBlocks()).flatMap(trimmedLines);
    expect(shown.filter((line) => !lines.has(line))).toEqual([]);
  });

  test('names only what a simulated cluster has', async () => {
    await using cluster = await startSimulatedCluster();
    const names = [...(await documentation()).matchAll(/\bcluster\.(\w+)/g)].map(([, name = '']) => name);
    expect(new Set(names).size).toBeGreaterThan(15);
    expect(names.filter((name) => !(name in cluster))).toEqual([]);
  });

  test('is right that `using` ends an outage', async () => {
    await using cluster = await startSimulatedCluster();
    const { kubeConfig } = cluster;
    await using authenticator = createAuthenticator({ kubeConfig, audiences: 'orders', log: false });
    {
      using outage = cluster.fault('tokenreviews', { status: 500 });
      await expect(authenticator.ready()).rejects.toThrow();
      expect(outage.hits).toBeGreaterThan(0);
    }
    await authenticator.ready();
  });

  test('is right about an API server that lags behind', async () => {
    await using cluster = await startSimulatedCluster();
    const pod = await cluster.createPod('shop/web-1');
    const token = await pod.token();
    const replica = await cluster.addReplica();
    replica.hold(); // it learns of no change any more
    await pod.delete();
    // A review by the replica still vouches for the Pod, and its watches say nothing.
    await using authenticator = createAuthenticator({ kubeConfig: cluster.kubeConfig, log: false });
    const balancer = cluster.forward('tokenreviews', replica); // the watches stay
    await expect(authenticator.authenticate(token)).resolves.toMatchObject({ pod: { name: 'web-1' } });
    expect(balancer.hits).toBe(1);
    replica.release(); // it learns of all it has missed
    balancer[Symbol.dispose]();
    await using another = createAuthenticator({ kubeConfig: cluster.kubeConfig, log: false });
    await expect(another.authenticate(token)).rejects.toMatchObject({ code: 'token_refused' });
  });
});

const manifest = z.object({
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
});

async function buildPackageInto(folder: string): Promise<void> {
  const tsc = path.join(root, 'node_modules/.bin/tsc');
  const build = run(tsc, ['-p', 'tsconfig.build.json', '--noCheck', '--outDir', path.join(folder, 'dist')]);
  expect([await build.ended, build.stdout()]).toEqual([0, '']);
  await cp(path.join(root, 'package.json'), path.join(folder, 'package.json'));
}

async function linkDependenciesInto(modules: string): Promise<void> {
  const own = manifest.parse(JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')));
  const { dependencies, devDependencies } = manifest.parse(JSON.parse(await example('package.json')));
  const { 'k8s-service-account-auth': _, ...published } = { ...own.dependencies, ...dependencies, ...devDependencies };
  for (const name of ['.bin', ...Object.keys(published)]) {
    const link = path.join(modules, name);
    await mkdir(path.dirname(link), { recursive: true });
    await symlink(path.join(root, 'node_modules', name), link);
  }
}

async function runTests(cwd: string, runner: string): Promise<{ exitCode: number | null; output: string }> {
  const tests = run('npm', ['run', `test:${runner}`], { cwd });
  const exitCode = await tests.ended;
  return { exitCode, output: stripVTControlCharacters(tests.stdout() + tests.stderr()) };
}

function example(file: string): Promise<string> {
  return readFile(path.join(examples, file), 'utf8');
}

function documentation(): Promise<string> {
  return readFile(path.join(root, 'docs/testing.md'), 'utf8');
}

async function codeBlocks(): Promise<string[]> {
  return [...(await documentation()).matchAll(/^```[jt]s\n(.*?)^```$/gms)].map(([, code = '']) => code);
}

function trimmedLines(text: string): string[] {
  return text.split('\n').map((line) => line.trim());
}
