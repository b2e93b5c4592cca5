import { expect, test } from '@jest/globals';
import { thrownError } from '../../src/express/thrown-error.ts';

test.each([new Error('broken'), { status: 502 }, []])('%p is what was thrown', (thrown) => {
  expect(thrownError(thrown)).toBe(thrown);
});

test.each<[unknown, string]>([
  ['top-secret', 'string'],
  ['route', 'string'],
  [undefined, 'undefined'],
  [null, 'null'],
  [false, 'boolean'],
  [() => {}, 'function'],
])('%p becomes an Error that names its type, and nothing else of it', (thrown, type) => {
  expect(thrownError(thrown)).toEqual(new TypeError(`Something was thrown that is no Error: ${type}`));
});
