import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import type { KubernetesVersion } from './kubernetes-version.ts';
import { type Reaper, startReaper } from './reaper.ts';

const run = promisify(execFile);

const packages = {
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
} as const;

type Program = keyof typeof packages;

/**
 * The folder of the two programs, built from the Go module `go/<version>` unless that was done before.
 * It lies outside the checkout, so that a fresh clone finds what an earlier one built.
 *
 * @throws if Go is missing, too old for the module, or the build fails (with the tail of what Go said).
 */
export async function buildWithGo(version: KubernetesVersion, onProgress: (line: string) => void): Promise<string> {
  const moduleFolder = path.join(import.meta.dirname, 'go', version);
  const goMod = await readFile(path.join(moduleFolder, 'go.mod'), 'utf8');
  const goSum = await readFile(path.join(moduleFolder, 'go.sum'), 'utf8');
  const fullVersion = /^\s*k8s\.io\/kubernetes v(\S+)/m.exec(goMod)?.[1];
  if (fullVersion === undefined) {
    throw new Error(`${moduleFolder}/go.mod does not require k8s.io/kubernetes`);
  }
  const hash = createHash('sha256').update(goMod).update(goSum).digest('hex').slice(0, 12);
  const cacheFolder = path.join(cacheHome(), 'k8s-service-account-auth');
  const finished = path.join(cacheFolder, `${fullVersion}-${hash}`);
  if (await exists(finished)) {
    return finished;
  }
  await requireGo(moduleFolder);
  await mkdir(cacheFolder, { recursive: true });
  const unfinished = await mkdtemp(`${finished}.building-`);
  const reaper = startReaper(unfinished);
  try {
    onProgress(
      `Building kube-apiserver ${fullVersion} and etcd with Go: about 4 minutes the first time, then they are kept in ${finished}`,
    );
    const started = performance.now();
    const elapsed = (): string => `${Math.round((performance.now() - started) / 1000)} s`;
    let building: Program = 'etcd';
    const progress = setInterval(() => onProgress(`Still building ${building}: ${elapsed()}`), 15_000);
    try {
      for (building of ['etcd', 'kube-apiserver'] as const) {
        await goBuild({ program: building, moduleFolder, outputFolder: unfinished, version: fullVersion, reaper });
      }
    } finally {
      clearInterval(progress);
    }
    onProgress(`Built kube-apiserver ${fullVersion} and etcd in ${elapsed()}`);
    await moveIntoPlace(unfinished, finished);
  } finally {
    await reaper.reap();
  }
  return finished;
}

function cacheHome(): string {
  // The XDG Base Directory Specification: unset, empty and relative values all mean the default.
  const configured = process.env['XDG_CACHE_HOME'];
  return configured !== undefined && path.isAbsolute(configured) ? configured : path.join(homedir(), '.cache');
}

async function exists(folder: string): Promise<boolean> {
  try {
    await stat(folder);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) {
      return false;
    }
    throw error;
  }
}

async function requireGo(moduleFolder: string): Promise<void> {
  try {
    await run('go', ['list', '-m'], { cwd: moduleFolder });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) {
      throw new Error(
        'Go is needed to build kube-apiserver, but there is no `go` in PATH. Install it (https://go.dev/dl), ' +
          'or set KUBEBUILDER_ASSETS to a folder that holds kube-apiserver and etcd',
        { cause: error },
      );
    }
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    if (/requires go >=|invalid go version|unknown directive/.test(said)) {
      throw new Error(`The installed Go is too old to build this kube-apiserver: ${said}`, { cause: error });
    }
    throw new Error(`Go cannot use ${moduleFolder}: ${said}`, { cause: error });
  }
}

interface GoBuild {
  readonly program: Program;
  readonly moduleFolder: string;
  readonly outputFolder: string;
  readonly version: string;
  readonly reaper: Reaper;
}

async function goBuild({ program, moduleFolder, outputFolder, version, reaper }: GoBuild): Promise<void> {
  const linkerFlags = `-X k8s.io/component-base/version.gitVersion=v${version}`;
  const output = path.join(outputFolder, program);
  const go = spawn('go', ['build', '-ldflags', linkerFlags, '-o', output, packages[program]], {
    cwd: moduleFolder,
    // Without cgo, as Kubernetes' own releases are built: no C compiler is needed.
    env: { ...process.env, CGO_ENABLED: '0', GOTMPDIR: outputFolder },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (go.pid !== undefined) {
    reaper.watchOver([go.pid]);
  }
  let tail = '';
  const remember = (chunk: Buffer): void => {
    tail = (tail + chunk.toString()).slice(-4000);
  };
  go.stdout.on('data', remember);
  go.stderr.on('data', remember);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  go.once('error', reject);
  go.once('close', (code, signal) => {
    reaper.watchOver([]);
    if (code === 0) {
      resolve();
    } else {
      reject(new Error(`go build ${packages[program]} failed (${signal ?? `exit status ${code}`}):\n${tail.trim()}`));
    }
  });
  await promise;
}

async function moveIntoPlace(unfinished: string, finished: string): Promise<void> {
  try {
    await rename(unfinished, finished);
  } catch (error) {
    // Another run finished the same build first: its programs are as good.
    if (!isErrno(error, 'ENOTEMPTY') && !isErrno(error, 'EEXIST')) {
      throw error;
    }
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
