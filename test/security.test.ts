import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const root = new URL('..', import.meta.url);
const text = readFileSync(new URL('SECURITY.md', root), 'utf8');

/** The rows of the table, as the promise and the files that keep it. */
const promises = text
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(2)
  .map((line) => {
    const [, promise = '', keptBy = ''] = line.split('|').map((cell) => cell.trim());
    return { promise, files: [...keptBy.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file) };
  });

test('SECURITY.md promises something', () => {
  expect(promises.length).toBeGreaterThan(10);
});

test.each(promises)('is kept by tests that there are: $promise', ({ files }) => {
  expect(files).not.toEqual([]);
  for (const file of files) {
    const path = fileURLToPath(new URL(file, root));
    expect({ file, exists: existsSync(path) && statSync(path).isFile() }).toEqual({ file, exists: true });
  }
});
