import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** kubectl itself waits for longer, where there is no answer. */
const TIME_LIMIT_MS = 30_000;

export interface Said {
  /** `null`: killed, as it had not ended after 30 s or had said what was waited for. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Stops kubectl as soon as its output matches. */
  readonly until?: RegExp | undefined;
  /** Runs another command, once, as soon as the output of this one matches. */
  readonly when?: { readonly says: RegExp; readonly run: string } | undefined;
}

export interface Kubectl extends AsyncDisposable {
  /** A line for a shell, in a folder of its own. */
  run(command: string, options?: RunOptions): Promise<Said>;
  writeFile(name: string, content: string): Promise<void>;
}

/** `kubectl` for a cluster, as somebody would have it in a terminal: in `PATH`, with a kubeconfig and a home folder. */
export async function kubectlFor(kubeconfig: string, kubectlFolder: string): Promise<Kubectl> {
  // kubectl remembers below HOME what a server's address had to offer, and addresses come again.
  const folder = await mkdtemp(path.join(tmpdir(), 'kubectl-'));
  const file = path.join(folder, '.kubeconfig');
  await writeFile(file, kubeconfig, { mode: 0o600 });
  const environment = {
    PATH: [kubectlFolder, process.env['PATH']].join(path.delimiter),
    HOME: folder,
    KUBECONFIG: file,
  };
  return {
    async run(command, { until, when } = {}) {
      let reaction: Promise<Said> | undefined;
      const said = await run(command, { cwd: folder, env: environment }, (output, kill) => {
        if (when?.says.test(output)) reaction ??= run(when.run, { cwd: folder, env: environment });
        if (until?.test(output)) kill();
      });
      const reacted = await reaction;
      // Whoever reads what was said is to see it there.
      return !when || reacted?.exitCode === 0
        ? said
        : { ...said, stderr: `${said.stderr}${when.run}: ${reacted?.stderr ?? 'did not run'}` };
    },
    writeFile: (name, content) => writeFile(path.join(folder, name), content),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

function run(
  command: string,
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
  onOutput?: (output: string, kill: () => void) => void,
): Promise<Said> {
  return new Promise((resolve, reject) => {
    const shell = spawn('/bin/sh', ['-c', command], { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const kill = (): void => {
      const isRunning = shell.exitCode === null && shell.signalCode === null;
      // The group: the shell may have kubectl run as a process of its own.
      if (isRunning && shell.pid !== undefined) process.kill(-shell.pid, 'SIGKILL');
    };
    const timer = setTimeout(kill, TIME_LIMIT_MS);
    let stdout = '';
    let stderr = '';
    shell.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      onOutput?.(stdout, kill);
    });
    shell.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    shell.once('error', reject);
    shell.once('close', (exitCode) => {
      clearTimeout(timer);
      resolve({ exitCode, stdout, stderr });
    });
  });
}
