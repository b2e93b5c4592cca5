// `npm run bench -- --help`
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { Bench } from './bench.ts';
import { chart } from './chart.ts';
import { Child } from './child.ts';
import { machine } from './machine.ts';
import { allocations } from './measures/allocations.ts';
import { coalescing } from './measures/coalescing.ts';
import { firstRequests } from './measures/first-requests.ts';
import { growth } from './measures/growth.ts';
import { guards } from './measures/guards.ts';
import { importCost } from './measures/import-cost.ts';
import { latency } from './measures/latency.ts';
import { lookUp } from './measures/look-up.ts';
import { rejections } from './measures/rejections.ts';
import { throughput } from './measures/throughput.ts';
import type { ClusterAnswers } from './processes/cluster.ts';
import { publish } from './publish.ts';
import { type Results, resultsAsJson, savedResults } from './results.ts';
import { isMet, type Row } from './row.ts';
import { table } from './table.ts';

const help = `npm run bench -- [options]

  --quick          fewer and shorter rounds: under 2 minutes
  --only NAME      one measure (may be given several times): NAMES
  --json           the results as JSON on standard output, progress on standard error
  --chart FILE     draw the results as an SVG picture
  --from FILE      measure nothing: the results are those that an earlier run printed with --json
  --publish        put the results into docs/: bench.json, bench.svg, and the table of performance.md
  --help           this text

Set KUBE_RBAC_PROXY to a kube-rbac-proxy binary to measure it too. Exit status 1: something could not be measured, or a
promise that is no matter of time was broken.`;

const measures: Readonly<Record<string, (bench: Bench) => Promise<Row[]>>> = {
  'look-up': lookUp,
  throughput,
  guards,
  allocations,
  'first-requests': firstRequests,
  rejections,
  coalescing,
  growth,
  latency,
  import: importCost,
};

const tokenCount = 10_000;

interface Choice {
  readonly only: readonly string[];
  readonly quick: boolean;
}

// Children end with this process, and folders are removed as it exits; which it does not by itself when it is interrupted.
for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
] as const) {
  process.once(signal, () => process.exit(128 + number));
}

process.exitCode = await run();

async function run(): Promise<number> {
  const names = Object.keys(measures);
  const usage = help.replace('NAMES', names.join(', '));
  let options;
  try {
    ({ values: options } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true, default: names },
        json: { type: 'boolean', default: false },
        chart: { type: 'string' },
        from: { type: 'string' },
        publish: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
    const unknown = options.only.find((name) => measures[name] === undefined);
    if (unknown !== undefined) throw new TypeError(`There is no measure "${unknown}"`);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
  if (options.help) {
    console.log(usage);
    return 0;
  }
  const results = options.from === undefined ? await measured(options) : await savedResults(options.from);
  const { rows, failures } = results;
  if (options.chart !== undefined) await writeFile(options.chart, chart(rows, results.machine));
  if (options.publish) await publish(results);
  console.log(options.json ? resultsAsJson(results) : table(rows, results.machine));
  for (const failure of failures) console.error(`could not be measured: ${failure}`);
  return failures.length > 0 || rows.some((row) => row.isHard && isMet(row) === false) ? 1 : 0;
}

async function measured({ only: names, quick: isQuick }: Choice): Promise<Results> {
  const started = performance.now();
  const say = (line: string): void =>
    console.error(`${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s  ${line}`);
  say('starting a simulated cluster');
  await using cluster = new Child<ClusterAnswers>(new URL('./processes/cluster.ts', import.meta.url));
  const connection = await cluster.ask('connection', undefined);
  say(`signing ${tokenCount} tokens`);
  const tokens = await cluster.ask('tokens', tokenCount);
  const rounds = isQuick ? { atLeast: 5, atMost: 5 } : { atLeast: 15, atMost: 45 };
  const rows: Row[] = [];
  const failures: string[] = [];
  for (const name of names) {
    const bench = {
      isQuick,
      rounds,
      turnMs: 200,
      cluster,
      connection,
      tokens,
      say: (line: string) => say(`${name}: ${line}`),
    };
    try {
      rows.push(...((await measures[name]?.(bench)) ?? []));
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  say('done');
  return { machine: await machine(), quick: isQuick, rows, failures };
}
