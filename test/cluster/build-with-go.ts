import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import type { KubernetesVersion } from './kubernetes-version.ts';
import { type Reaper, startReaper } from './reaper.ts';

const run = promisify(execFile);

const packages = {
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
} as const;

type Program = keyof typeof packages;

/**
 * The folder of kube-apiserver and etcd, built from the Go module `go/<version>` unless that was done before.
 * It lies outside the checkout, so that a fresh clone finds what an earlier one built.
 *
 * @throws if Go is missing, too old for the module, or the build fails (with the tail of what Go said).
 */
export function buildWithGo(version: KubernetesVersion, onProgress: (line: string) => void): Promise<string> {
  return buildOnce({ version, programs: ['kube-apiserver', 'etcd'], takes: 'about 4 minutes' }, onProgress);
}

/**
 * The folder of kubectl, which is built and kept in the same way, apart from the others as most machines have one. What it
 * needs beyond them is in `kubectl.sum`: the lines that `go list -mod=mod -deps k8s.io/kubernetes/cmd/kubectl` adds to go.sum.
 */
export function buildKubectl(version: KubernetesVersion, onProgress: (line: string) => void): Promise<string> {
  return buildOnce({ version, programs: ['kubectl'], moreSums: 'kubectl.sum', takes: 'about 2 minutes' }, onProgress);
}

interface Build {
  readonly version: KubernetesVersion;
  readonly programs: readonly Program[];
  /** A file of lines for go.sum, beside it. */
  readonly moreSums?: string;
  readonly takes: string;
}

async function buildOnce(
  { version, programs, moreSums, takes }: Build,
  onProgress: (line: string) => void,
): Promise<string> {
  const moduleFolder = path.join(import.meta.dirname, 'go', version);
  const goMod = await readFile(path.join(moduleFolder, 'go.mod'), 'utf8');
  const goSum = await readAll(moduleFolder, ['go.sum', ...(moreSums === undefined ? [] : [moreSums])]);
  const fullVersion = /^\s*k8s\.io\/kubernetes v(\S+)/m.exec(goMod)?.[1];
  if (fullVersion === undefined) {
    throw new Error(`${moduleFolder}/go.mod does not require k8s.io/kubernetes`);
  }
  const hash = createHash('sha256').update(goMod).update(goSum).digest('hex').slice(0, 12);
  const cacheFolder = path.join(cacheHome(), 'k8s-service-account-auth');
  const finished = path.join(cacheFolder, `${fullVersion}-${hash}`);
  const [first, ...others] = programs;
  const what = [`${first} ${fullVersion}`, ...others].join(' and ');
  if (await exists(finished)) {
    return finished;
  }
  await requireGo(moduleFolder);
  await mkdir(cacheFolder, { recursive: true });
  const unfinished = await mkdtemp(`${finished}.building-`);
  const reaper = startReaper(unfinished);
  try {
    const modFile = path.join(unfinished, 'go.mod');
    await writeFile(modFile, goMod);
    await writeFile(path.join(unfinished, 'go.sum'), goSum);
    onProgress(`Building ${what} with Go: ${takes} the first time, then kept in ${finished}`);
    const started = performance.now();
    const elapsed = (): string => `${Math.round((performance.now() - started) / 1000)} s`;
    const progress = setInterval(() => onProgress(`Still building ${what}: ${elapsed()}`), 15_000);
    try {
      for (const program of programs) {
        await goBuild({ program, modFile, outputFolder: unfinished, version: fullVersion, reaper });
      }
    } finally {
      clearInterval(progress);
    }
    onProgress(`Built ${what} in ${elapsed()}`);
    await moveIntoPlace(unfinished, finished);
  } finally {
    await reaper.reap();
  }
  return finished;
}

async function readAll(folder: string, files: readonly string[]): Promise<string> {
  return (await Promise.all(files.map((file) => readFile(path.join(folder, file), 'utf8')))).join('');
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
        'Go is needed to build Kubernetes, but there is no `go` in PATH. Install it (https://go.dev/dl), ' +
          'or set KUBEBUILDER_ASSETS to a folder that holds kube-apiserver, etcd and kubectl',
        { cause: error },
      );
    }
    const said = String(Object(error)['stderr'] ?? error).trim();
    if (/requires go >=|invalid go version|unknown directive/.test(said)) {
      throw new Error(`The installed Go is too old to build this Kubernetes: ${said}`, { cause: error });
    }
    throw new Error(`Go cannot use ${moduleFolder}: ${said}`, { cause: error });
  }
}

interface GoBuild {
  readonly program: Program;
  readonly modFile: string;
  readonly outputFolder: string;
  readonly version: string;
  readonly reaper: Reaper;
}

async function goBuild({ program, modFile, outputFolder, version, reaper }: GoBuild): Promise<void> {
  const linkerFlags = `-X k8s.io/component-base/version.gitVersion=v${version}`;
  const output = path.join(outputFolder, program);
  const go = spawn('go', ['build', '-ldflags', linkerFlags, '-o', output, packages[program]], {
    cwd: path.dirname(modFile),
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

/** By its looks: within Jest, Node's own errors are of another `Error` than this module's. */
function isErrno(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
