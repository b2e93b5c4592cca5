import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Bench } from '../bench.ts';
import type { ImportCost, InClusterStart } from '../processes/import-cost.ts';
import { atMost, exactly, type Row, single } from '../row.ts';
import { spreadOf } from '../spread.ts';

const run = promisify(execFile);
const file = fileURLToPath(new URL('../processes/import-cost.ts', import.meta.url));

/** What the import adds to the start of a service. */
export async function importCost({ isQuick, say }: Bench): Promise<Row[]> {
  const costs: ImportCost[] = [];
  for (let round = 0; round < (isQuick ? 5 : 15); round++) {
    say(`process ${round + 1}`);
    costs.push(await inFreshProcess<ImportCost>('import'));
  }
  const { clientNodeModules, modules, code } = await inFreshProcess<InClusterStart>('start');
  if (modules === 0 || code !== 'credential_unreadable') {
    throw new Error(`A start as in a Pod ended with ${String(code)} after ${modules} modules`);
  }
  const measure = '`import` of the package beyond Express';
  return [
    {
      id: 'import-time',
      measure,
      unit: 'ms of CPU',
      value: spreadOf(costs.map(({ milliseconds }) => milliseconds)),
      goal: atMost(100),
      note: `${Math.round(spreadOf(costs.map(({ elapsedMs }) => elapsedMs)).median)} ms passed`,
    },
    {
      id: 'import-memory',
      measure,
      unit: 'MB',
      value: spreadOf(costs.map(({ megabytes }) => megabytes)),
      goal: atMost(12),
    },
    {
      id: 'client-node',
      measure: 'modules of client-node loaded by the import and a start in a Pod',
      unit: 'modules',
      value: single(clientNodeModules),
      goal: exactly(0),
      isHard: true,
    },
  ];
}

async function inFreshProcess<Result>(what: string): Promise<Result> {
  const env = { ...process.env, NODE_ENV: 'production' };
  const { stdout } = await run(process.execPath, ['--expose-gc', file, what], { env });
  return JSON.parse(stdout) as Result;
}
