import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

// The packed tarball, installed into projects of its users. A wrong `files`, `exports` or dependency shows only here.
const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
const projects = path.join(import.meta.dirname, 'projects');
const bin = (name: string): string => path.join(root, 'node_modules/.bin', name);

let folder: string;
let tarball: string;
const nodes: Record<string, string> = { '24': process.execPath };

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'consumer-'));
  const { stdout } = await npm(root, 'pack', '--json', '--pack-destination', folder);
  const [packed] = JSON.parse(stdout) as [{ filename: string }];
  tarball = path.join(folder, packed.filename);
  await Promise.all([...['4', '5'].map(installProject), ...['22', '26'].map(installNode)]);
}, 170_000);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe.each(['4', '5'])('on Express %s', (express) => {
  test.each([
    ['22', 'service.mjs'],
    ['22', 'service.cjs'],
    ['24', 'service.mjs'],
    ['24', 'service.cjs'],
    ['26', 'service.mjs'],
    ['26', 'service.cjs'],
  ])(
    'on Node %s, %s authenticates and guards',
    async (version, file) => {
      const { stdout } = await run(nodes[version] ?? '', [file], { cwd: project(express) });
      expect(JSON.parse(stdout)).toEqual([
        version,
        [200, { id: '7', pod: 'web-1' }],
        [403, expect.stringContaining('error="insufficient_scope"')],
        [401, 'Bearer realm="kubernetes"'],
      ]);
    },
    30_000,
  );

  test.each(['module', 'commonjs'])(
    'a TypeScript %s project compiles, library types checked',
    async (type) => {
      const cwd = path.join(project(express), type);
      await mkdir(cwd);
      await cp(path.join(projects, 'typescript'), cwd, { recursive: true });
      await writeFile(path.join(cwd, 'package.json'), JSON.stringify({ type }));
      const compilerOptions = { strict: true, module: 'nodenext', types: ['node'], skipLibCheck: false, noEmit: true };
      await writeFile(path.join(cwd, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
      await expect(compile(cwd)).resolves.toBe('');
    },
    60_000,
  );
});

test('publint finds nothing, however strict', async () => {
  const { stdout } = await run(bin('publint'), ['--strict', tarball]);
  expect(stdout).toContain('All good!');
}, 60_000);

test('are the types wrong? No, for ES module consumers', async () => {
  await run(bin('attw'), [tarball, '--profile', 'esm-only']);
}, 60_000);

const project = (express: string): string => path.join(folder, `express-${express}`);

function npm(cwd: string, ...args: string[]): Promise<{ stdout: string }> {
  return run('npm', [...args, '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'], { cwd });
}

async function installProject(express: string): Promise<void> {
  const cwd = project(express);
  await cp(path.join(projects, 'javascript'), cwd, { recursive: true });
  const dependencies = {
    'k8s-service-account-auth': `file:${tarball}`,
    express,
    '@types/express': express,
    '@types/node': '22',
  };
  await writeFile(path.join(cwd, 'package.json'), JSON.stringify({ private: true, dependencies }));
  await npm(cwd, 'install', '--ignore-scripts');
}

async function installNode(version: string): Promise<void> {
  const cwd = path.join(folder, `node-${version}`);
  await mkdir(cwd);
  await writeFile(
    path.join(cwd, 'package.json'),
    JSON.stringify({ dependencies: { node: version }, allowScripts: { node: true } }),
  );
  await npm(cwd, 'install');
  nodes[version] = path.join(cwd, 'node_modules/node/bin/node');
}

async function compile(cwd: string): Promise<string> {
  try {
    await run(bin('tsc'), ['-p', cwd]);
    return '';
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}
