import { readFile } from 'node:fs/promises';
import type { Machine } from './machine.ts';
import type { Row } from './row.ts';

/** What a run came to, as `--json` prints it and `--from` reads it. */
export interface Results {
  readonly machine: Machine;
  readonly quick: boolean;
  readonly rows: readonly Row[];
  readonly failures: readonly string[];
}

export const resultsAsJson = (results: Results): string => JSON.stringify(results, undefined, 2);

/** @throws {Error} where the file is none of ours */
export async function savedResults(file: string): Promise<Results> {
  const results = JSON.parse(await readFile(file, 'utf8')) as Partial<Results>;
  if (!Array.isArray(results.rows) || results.machine === undefined) throw new Error(`${file} holds no results`);
  return results as Results;
}
