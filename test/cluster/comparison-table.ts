import type { JestResults } from './jest-results.ts';

interface Run {
  readonly cluster: string;
  readonly results: JestResults;
}

const WORDS: Readonly<Record<string, string>> = { passed: 'ok', failed: 'DIFFERENT', pending: 'skipped' };

/** Scenarios by clusters, and the counts. */
export function comparisonTable(runs: readonly Run[]): string {
  const columns = runs.map(({ results }) => wordsByTest(results));
  const names = [...new Set(columns.flatMap((column) => [...column.keys()]))];
  const heads = runs.map(({ cluster }) => cluster);
  const rows = names.map((name) => [name].concat(columns.map((column) => column.get(name) ?? 'not run')));
  const counts = ['ok', 'DIFFERENT', 'skipped', 'not run'].map((word) =>
    [word].concat(columns.map((_, index) => String(rows.filter((row) => row[index + 1] === word).length))),
  );
  // Those that nobody ran, as where only some were asked for, would only hide the others.
  const shown = rows.filter((row) => row.slice(1).some((word) => word !== 'skipped'));
  const all = [['scenario', ...heads], ...shown, [], ['', ...heads], ...counts];
  const widths = ['', ...heads].map((_, index) => Math.max(...all.map((row) => row[index]?.length ?? 0)));
  const table = all.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [...table, ...problems(runs)].join('\n');
}

function wordsByTest({ testResults }: JestResults): ReadonlyMap<string, string> {
  return new Map(
    testResults.flatMap(({ assertionResults }) =>
      assertionResults.map(({ ancestorTitles, title, status }) => [
        [...ancestorTitles, title].join(' › '),
        WORDS[status] ?? status,
      ]),
    ),
  );
}

/** Files that did not get as far as their tests would be in no row. */
function problems(runs: readonly Run[]): string[] {
  return runs.flatMap(({ cluster, results }) =>
    results.testResults
      .filter(({ assertionResults }) => assertionResults.length === 0)
      .map(({ name, message }) => `${name} did not run on ${cluster}: ${message}`),
  );
}
