import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { chart } from '../../bench/chart.ts';
import { pageWith, published } from '../../bench/publish.ts';
import { savedResults } from '../../bench/results.ts';
import { single } from '../../bench/row.ts';

test('the picture and the table that are shown come from the results beside them', async () => {
  const results = await savedResults(published.json.pathname);
  const page = await readFile(published.page, 'utf8');
  expect(await readFile(published.chart, 'utf8')).toBe(chart(results.rows, results.machine));
  expect(page).toBe(pageWith(page, results));
  expect(results.failures).toEqual([]);
});

test('a table takes the place of the one before it, and of nothing else', () => {
  const machine = { cpu: 'A CPU', cores: 2, node: 'v24.0.0', go: undefined, load: 2, packages: {} };
  const resultsOf = (value: number) => ({
    machine,
    quick: false,
    rows: [{ id: 'id', measure: 'requests/s', unit: '× bare Express', value: single(value) }],
    failures: [],
  });
  const empty = 'Before.\n\n<!-- npm run bench -- --publish -->\n\n```text\n\n```\n\n<!-- end -->\n\nAfter.\n';
  const page = pageWith(pageWith(empty, resultsOf(0.5)), resultsOf(0.25));
  expect(page).toMatch(/^Before\.[^]*requests\/s, × bare Express +0\.25\n[^]*\n```\n\n<!-- end -->\n\nAfter\.\n$/);
  expect(page).not.toContain('0.5');
  expect(() => pageWith('No place.', resultsOf(1))).toThrow('no place');
});
