import { readdir, readlink } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';

/** What a process holds. */
export interface Measurement {
  readonly residentMb: number;
  /** After a garbage collection. */
  readonly heapMb: number;
  /** Idle ones included, where the system tells (Linux); else those that keep the process alive. */
  readonly sockets: number;
  readonly timers: number;
}

/** Needs `node --expose-gc`. */
export async function measure(): Promise<Measurement> {
  if (globalThis.gc === undefined) throw new Error('Run it with --expose-gc');
  for (let time = 0; time < 3; time += 1) {
    await turn();
    await globalThis.gc({ execution: 'async' });
  }
  const { rss, heapUsed } = process.memoryUsage();
  const active = process.getActiveResourcesInfo();
  return {
    residentMb: rss / 2 ** 20,
    heapMb: heapUsed / 2 ** 20,
    sockets: (await socketsOfSystem()) ?? active.filter((resource) => resource.startsWith('TCP')).length,
    timers: active.filter((resource) => resource === 'Timeout').length,
  };
}

const ownFiles = '/proc/self/fd';

async function socketsOfSystem(): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  const links = await Promise.all(
    // One of them is that of the directory itself, gone by now.
    (await readdir(ownFiles)).map((file) => readlink(`${ownFiles}/${file}`).catch(() => '')),
  );
  return links.filter((link) => link.startsWith('socket:')).length;
}
