import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Turn } from './processes/look-up.ts';

const run = promisify(execFile);
const moduleFolder = join(import.meta.dirname, 'go');

/** The token cache of kube-apiserver, in a process of its own: `bench/go`, built by the Go that is in PATH. */
export class GoCache implements AsyncDisposable {
  readonly version: string;
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #folder: string;

  private constructor(version: string, folder: string, go: ChildProcess, lines: AsyncIterator<string>) {
    this.version = version;
    this.#folder = folder;
    this.#process = go;
    this.#lines = lines;
  }

  /** `undefined` where Go is missing. */
  static async start(tokens: readonly string[]): Promise<GoCache | undefined> {
    const version = await goVersion();
    if (version === undefined) return undefined;
    const folder = await mkdtemp(join(tmpdir(), 'bench-go-'));
    const program = join(folder, 'go-cache');
    await run('go', ['build', '-o', program, '.'], { cwd: moduleFolder, env: { ...process.env, CGO_ENABLED: '0' } });
    const go = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: go.stdout })[Symbol.asyncIterator]();
    go.stdin.write(`${JSON.stringify(tokens)}\n`);
    return new GoCache(version, folder, go, lines);
  }

  async nanoseconds({ count, turnMs }: Turn): Promise<number> {
    this.#process.stdin?.write(`${count} ${turnMs / 1000}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('The Go program ended early');
    return Number(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin?.end();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** `undefined` where there is no Go. */
export async function goVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await run('go', ['env', 'GOVERSION'], { cwd: moduleFolder });
    return stdout.trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
