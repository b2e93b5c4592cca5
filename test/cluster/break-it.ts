// Breaks the simulated cluster, a copy of it, in one way after the other, and sees that the scenarios notice:
// `npm run test:breaks [-- part of what is broken]...`. Needs no real cluster.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { type Break, breaks } from './breaks.ts';
import type { JestResults } from './jest-results.ts';
import { startReaper } from './reaper.ts';

const projectRoot = path.resolve(import.meta.dirname, '../..');
const NOT_COPIED = new Set(['node_modules', '.git', 'dist', 'coverage', '.stryker-tmp']);

const wanted = process.argv.slice(2);
const chosen = breaks.filter(({ what }) => wanted.length === 0 || wanted.some((part) => what.includes(part)));
if (chosen.length === 0) throw new Error(`Nothing is broken so: ${wanted.join(', ')}`);

const folder = await mkdtemp(path.join(tmpdir(), 'break-it-'));
const reaper = startReaper(folder);
try {
  const copy = path.join(folder, 'copy');
  await cp(projectRoot, copy, { recursive: true, filter: (source) => !NOT_COPIED.has(path.basename(source)) });
  await symlink(path.join(projectRoot, 'node_modules'), path.join(copy, 'node_modules'));

  for (const scenarios of new Set(chosen.map(({ noticedBy }) => noticedBy))) {
    const failed = await failedScenarios(copy, scenarios);
    if (failed.length > 0) throw new Error(`Unbroken, ${scenarios} fails already: ${failed.join('; ')}`);
  }
  let unnoticed = 0;
  for (const one of chosen) {
    const failed = await broken(copy, one, () => failedScenarios(copy, one.noticedBy));
    if (failed.length === 0) unnoticed += 1;
    const [first = 'NOBODY'] = failed;
    const others = failed.length > 1 ? ` and ${failed.length - 1} more` : '';
    console.log(`${one.what}: noticed by ${first}${others}`);
  }
  console.log(`${chosen.length - unnoticed} of ${chosen.length} are noticed`);
  process.exitCode = unnoticed === 0 ? 0 : 1;
} finally {
  await reaper.reap();
}

async function broken<Result>(
  copy: string,
  { what, file, from, to }: Break,
  run: () => Promise<Result>,
): Promise<Result> {
  const source = path.join(copy, 'src/testing/simulated-cluster', file);
  const whole = await readFile(source, 'utf8');
  const [before, after, ...more] = whole.split(from);
  if (after === undefined || more.length > 0) {
    throw new Error(`${file} has not exactly one place to break so that ${what}: ${from}`);
  }
  await writeFile(source, `${before}${to}${after}`);
  try {
    return await run();
  } finally {
    await writeFile(source, whole);
  }
}

/** Names of the scenarios that fail on the simulated cluster; throws where they did not run, which would prove nothing. */
async function failedScenarios(copy: string, scenarios: Break['noticedBy']): Promise<readonly string[]> {
  const resultsFile = path.join(folder, 'results.json');
  await rm(resultsFile, { force: true });
  const config = path.join(copy, 'test/cluster/jest.config.js');
  const args = ['--ci', '--config', config, '--json', `--outputFile=${resultsFile}`, `scenarios/${scenarios}.test.ts`];
  const jest = spawn(process.execPath, [createRequire(import.meta.url).resolve('jest/bin/jest'), ...args], {
    cwd: copy,
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, NODE_OPTIONS: '--experimental-vm-modules', TEST_CLUSTER_INFO: undefined },
  });
  if (jest.pid !== undefined) reaper.watchOver([jest.pid]);
  await once(jest, 'exit');
  reaper.watchOver([]);
  const { testResults, numPassedTests }: JestResults = JSON.parse(await readFile(resultsFile, 'utf8'));
  if (numPassedTests === 0)
    throw new Error(`${scenarios} did not run: ${testResults.map(({ message }) => message).join('\n')}`);
  return testResults.flatMap(({ assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ ancestorTitles, title }) => [...ancestorTitles, title].join(' › ')),
  );
}
