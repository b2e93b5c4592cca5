import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const projectRoot = path.resolve(import.meta.dirname, '../..');

export interface Run {
  readonly process: ChildProcess;
  /** What it has written so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves with the match once its standard output has one; rejects where it ends without. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with its exit code once it and its output have ended. */
  readonly ended: Promise<number | null>;
}

/** Runs a program in the project's root, apart from Jest's own settings for Node. */
export function run(command: string, args: readonly string[], options: SpawnOptions = {}): Run {
  const env = { ...process.env, NODE_OPTIONS: '', FORCE_COLOR: '0', ...options.env };
  const child = spawn(command, args, { cwd: projectRoot, ...options, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const ended = once(child, 'close').then(() => child.exitCode);
  const until = async (pattern: RegExp): Promise<RegExpExecArray> => {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
    const look = (): void => {
      const match = pattern.exec(stdout);
      if (match) resolve(match);
    };
    child.stdout?.on('data', look);
    look();
    void ended.then(() => reject(new Error(`It ended without ${String(pattern)}:\n${stdout}\n${stderr}`)));
    try {
      return await promise;
    } finally {
      child.stdout?.off('data', look);
    }
  };
  return { process: child, stdout: () => stdout, stderr: () => stderr, until, ended };
}

/** Runs a program of the examples, which find this package in its sources. */
export function runExample(file: string, args: readonly string[] = [], options: SpawnOptions = {}): Run {
  return run(process.execPath, ['--import', './examples/from-sources.ts', `examples/${file}`, ...args], options);
}
