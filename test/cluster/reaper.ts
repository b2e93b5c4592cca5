import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Each line names all process groups that run now. The end of the input means that whoever wrote them is gone. A second
 * try removes what a process still wrote while it was being killed.
 */
const script = `
while read -r line; do running=$line; done
[ -z "$running" ] || kill -s KILL -- $running
rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }
`;

export interface Reaper {
  /** The leaders of the process groups that run now, instead of all those named before. */
  watchOver(groupLeaders: readonly number[]): void;
  /** Kills the process groups, removes the folder, and resolves when both is done. */
  reap(): Promise<void>;
}

/**
 * Kills process groups and removes a folder when this process ends, in whatever way. A shell in a session of its own sees
 * our end of its pipe close, which happens even on SIGKILL, when no handler of ours runs.
 */
export function startReaper(folder: string): Reaper {
  const shell = spawn('/bin/sh', ['-c', script, 'reaper', folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.unref();
  const closed = once(shell, 'close');
  return {
    watchOver(groupLeaders) {
      shell.stdin.write(`${groupLeaders.map((pid) => `-${pid}`).join(' ')}\n`);
    },
    async reap() {
      shell.ref();
      shell.stdin.end();
      await closed;
    },
  };
}
