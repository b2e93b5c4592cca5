import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Turn } from './processes/look-up.ts';
import { TemporaryFolder } from './temporary-folder.ts';

const run = promisify(execFile);
const moduleFolder = join(import.meta.dirname, 'go');

/** The token cache of kube-apiserver, in a process of its own: `bench/go`, built by the Go that is in PATH. */
export class GoCache implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #ended: Promise<unknown>;

  private constructor(go: ChildProcess, lines: AsyncIterator<string>, ended: Promise<unknown>) {
    this.#process = go;
    this.#lines = lines;
    this.#ended = ended;
  }

  /** `undefined` where Go is missing. */
  static async start(tokens: readonly string[]): Promise<GoCache | undefined> {
    if ((await goVersion()) === undefined) return undefined;
    using folder = new TemporaryFolder('bench-go');
    const program = join(folder.path, 'go-cache');
    await run('go', ['build', '-o', program, '.'], { cwd: moduleFolder, env: { ...process.env, CGO_ENABLED: '0' } });
    const go = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(go, 'spawn');
    const ended = once(go, 'exit');
    // Its end is noticed where a line is missing.
    go.stdin.on('error', () => {});
    const lines = createInterface({ input: go.stdout })[Symbol.asyncIterator]();
    go.stdin.write(`${JSON.stringify(tokens)}\n`);
    return new GoCache(go, lines, ended);
  }

  async nanoseconds({ count, turnMs }: Turn): Promise<number> {
    this.#process.stdin?.write(`${count} ${turnMs / 1000}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('The Go program ended early');
    return Number(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin?.end();
    await this.#ended;
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
