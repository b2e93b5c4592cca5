import { cpus, loadavg } from 'node:os';
import { readFileSync } from 'node:fs';
import { goVersion } from './go-cache.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  /** `undefined` where it is missing. */
  readonly go: string | undefined;
  /** How many processes wanted to run, over the last minute: the benchmark itself keeps about two busy. */
  readonly load: number;
  /** Of the peers, as they were installed. */
  readonly packages: Readonly<Record<string, string>>;
}

const measured = ['express', 'express-oauth2-jwt-bearer', '@kubernetes/client-node', 'undici'];

export async function machine(): Promise<Machine> {
  const all = cpus();
  return {
    cpu: all[0]?.model ?? 'unknown',
    cores: all.length,
    node: process.version,
    go: await goVersion(),
    load: loadavg()[0] ?? 0,
    packages: Object.fromEntries(measured.map((name) => [name, installedVersion(name)])),
  };
}

function installedVersion(name: string): string {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}
