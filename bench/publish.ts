import { readFile, writeFile } from 'node:fs/promises';
import { chart } from './chart.ts';
import { type Results, resultsAsJson } from './results.ts';
import { table } from './table.ts';

const docs = new URL('../docs/', import.meta.url);
export const published = {
  json: new URL('bench.json', docs),
  chart: new URL('bench.svg', docs),
  page: new URL('performance.md', docs),
} as const;

const begin = '<!-- npm run bench -- --publish -->\n\n```text\n';
const end = '\n```\n\n<!-- end -->';

/** Puts one run's results where they are shown: as JSON, as a picture, and as the table of `docs/performance.md`. */
export async function publish(results: Results): Promise<void> {
  const page = pageWith(await readFile(published.page, 'utf8'), results);
  await writeFile(published.json, `${resultsAsJson(results)}\n`);
  await writeFile(published.chart, chart(results.rows, results.machine));
  await writeFile(published.page, page);
}

/** @throws {Error} where the page has no place for a table */
export function pageWith(page: string, { rows, machine, quick }: Results): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error('docs/performance.md has no place for the table');
  const content = `${table(rows, machine)}${quick ? '\n\nA quick run: fewer and shorter rounds.' : ''}`;
  return page.slice(0, from) + begin + content + page.slice(to);
}
