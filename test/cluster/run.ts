// Runs the scenarios on the simulated cluster and on real ones, and prints what they make of them side by side:
// `npm run test:cluster -- [--version 1.36]... [--version all] [--kubeconfig FILE] [--json-output FILE]
// [-- arguments for jest]`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { type Binaries, findOrBuild } from './binaries.ts';
import type { ClusterInfo } from './cluster-info.ts';
import { comparisonTable } from './comparison-table.ts';
import { type JestResults, mergedResults } from './jest-results.ts';
import { startKubeApiserver } from './kube-apiserver.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import {
  defaultKubernetesVersion,
  type KubernetesVersion,
  kubernetesVersions,
  parseKubernetesVersion,
} from './kubernetes-version.ts';
import { startReaper } from './reaper.ts';
import { startedCluster } from './started-cluster.ts';

interface Run {
  readonly cluster: string;
  readonly exitCode: number;
  readonly results: JestResults;
}

const projectRoot = path.resolve(import.meta.dirname, '../..');
const say = (line: string): void => console.error(line);

const { values, positionals: jestArguments } = parseArgs({
  options: {
    version: { type: 'string', multiple: true },
    kubeconfig: { type: 'string' },
    'json-output': { type: 'string' },
  },
  allowPositionals: true,
});

if (values['json-output'] !== undefined) {
  // Results of an earlier run must not pass for those of one that ends before it writes any.
  await rm(values['json-output'], { force: true });
}

const folder = await mkdtemp(path.join(tmpdir(), 'test-cluster-'));
const reaper = startReaper(folder);
try {
  const runs = await runAll();
  if (values['json-output'] !== undefined) {
    await writeFile(values['json-output'], JSON.stringify(mergedResults(runs.map(({ results }) => results))));
  }
  console.log(comparisonTable(runs));
  process.exitCode = runs.find(({ exitCode }) => exitCode !== 0)?.exitCode ?? 0;
} finally {
  await reaper.reap();
}

/** Each real cluster after a simulated one of its version. */
async function runAll(): Promise<readonly Run[]> {
  const assets = process.env['KUBEBUILDER_ASSETS'] ?? '';
  if (assets === '' && values.kubeconfig !== undefined) {
    if (values.version !== undefined) {
      throw new Error(
        '--version chooses what to start: it cannot be given with the --kubeconfig of a cluster that runs',
      );
    }
    const kubeconfig = path.resolve(values.kubeconfig);
    await access(kubeconfig);
    return [await runOnSimulatedCluster(undefined), await runJest(kubeconfig, { kind: 'given', kubeconfig })];
  }
  if (values.kubeconfig !== undefined) {
    say(`KUBEBUILDER_ASSETS is set and comes first: ${values.kubeconfig} is not used`);
  }
  const runs: Run[] = [];
  for (const version of versionsAskedFor()) {
    const binaries = await findOrBuild(version, say);
    const minor = kubernetesVersions.find((known) => binaries.version.startsWith(`${known}.`));
    runs.push(await runOnSimulatedCluster(minor), await runOnStartedCluster(binaries, version));
  }
  return runs;
}

/** `undefined`: whatever there is. */
function versionsAskedFor(): readonly (KubernetesVersion | undefined)[] {
  const { version = [] } = values;
  if (version.includes('all')) return kubernetesVersions;
  return version.length > 0 ? [...new Set(version.map(parseKubernetesVersion))] : [undefined];
}

async function runOnSimulatedCluster(version: KubernetesVersion = defaultKubernetesVersion): Promise<Run> {
  return await runJest(`simulated ${version}`, undefined, { TEST_CLUSTER_VERSION: version });
}

async function runOnStartedCluster(binaries: Binaries, version: KubernetesVersion | undefined): Promise<Run> {
  await using cluster = await startKubeApiserver(version && { version });
  const kubeconfig = path.join(folder, `kubeconfig-${cluster.version}.yaml`);
  await writeKubeconfig(kubeconfig, { server: cluster.server, ca: cluster.ca, token: cluster.adminToken });
  const info = startedCluster(cluster, kubeconfig);
  // The assets are for any other cluster that a scenario starts for itself.
  return await runJest(`kube-apiserver ${cluster.version}`, info, {
    KUBEBUILDER_ASSETS: path.dirname(binaries.kubeApiserver),
  });
}

async function runJest(
  cluster: string,
  info: ClusterInfo | undefined,
  environment: Readonly<Record<string, string>> = {},
): Promise<Run> {
  say(`\nTesting on ${cluster}${info?.kind === 'started' ? ` at ${info.server}` : ''}`);
  const resultsFile = path.join(folder, 'results.json');
  await rm(resultsFile, { force: true });
  const infoFile = path.join(folder, 'cluster-info.json');
  if (info) await writeFile(infoFile, JSON.stringify(info), { mode: 0o600 });
  const config = path.join(import.meta.dirname, 'jest.config.js');
  // --ci: a snapshot that is not there is a failure, not written from whichever cluster comes first.
  const args = ['--ci', '--config', config, '--json', `--outputFile=${resultsFile}`];
  const jest = spawn(
    process.execPath,
    [createRequire(import.meta.url).resolve('jest/bin/jest'), ...args, ...jestArguments],
    {
      cwd: projectRoot,
      detached: true,
      // Everything that is for people goes to stderr.
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        ...environment,
        NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --experimental-vm-modules`.trim(),
        TEST_CLUSTER: info ? 'real' : 'simulated',
        TEST_CLUSTER_PROGRESS: 'true',
        ...(info && { TEST_CLUSTER_INFO: infoFile }),
      },
    },
  );
  if (jest.pid !== undefined) {
    reaper.watchOver([jest.pid]);
  }
  await once(jest, 'exit');
  reaper.watchOver([]);
  const results: JestResults = JSON.parse(await readFile(resultsFile, 'utf8'));
  return { cluster, exitCode: jest.exitCode ?? 1, results };
}
