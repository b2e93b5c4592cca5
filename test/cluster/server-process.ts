import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface ServerProcess {
  readonly pid: number;
  /** Polls until `isReady` is true. Throws, with the tail of the log, if the process ends first or the deadline passes. */
  waitUntil(isReady: () => Promise<boolean>, deadlineMs: number): Promise<void>;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  /** SIGKILL, also for a process that is stopped or ended already; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts a server whose output goes to `logFile`. It gets no Ctrl-C from the terminal: whoever started it stops it. */
export function startServerProcess(program: string, args: readonly string[], logFile: string): ServerProcess {
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(program, args, { detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  const { pid } = child;
  if (pid === undefined) {
    child.once('error', () => undefined);
    throw new Error(`${program} cannot be started`);
  }
  child.unref();
  const name = path.basename(program);
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const failure = async (what: string): Promise<Error> =>
    new Error(`${name} ${what}. The end of its log:\n${(await readFile(logFile, 'utf8')).slice(-4000)}`);

  return {
    pid,
    async waitUntil(isReady, deadlineMs) {
      const end = performance.now() + deadlineMs;
      while (!(await isReady())) {
        if (hasEnded()) {
          throw await failure(`ended (${child.signalCode ?? `exit status ${child.exitCode}`}) before it was ready`);
        }
        if (performance.now() > end) {
          throw await failure(`was not ready after ${deadlineMs} ms`);
        }
        await delay(25);
      }
    },
    signal(signalName) {
      child.kill(signalName);
    },
    async kill() {
      if (hasEnded()) {
        return;
      }
      child.ref();
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
  };
}
