import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { wordsOf } from '../../src/kubernetes/words-of.ts';
import { caught } from '../support/caught.ts';

test('what an Error says, on one line and without the secrets', () => {
  expect(wordsOf(new TypeError('no\nopaque-secret'), ['opaque-secret'])).toBe('no [token]');
});

test("what an error of Node's own says, in a realm that is not Node's too", async () => {
  expect(wordsOf(await caught(readFile('/nowhere/to/be/found')))).toMatch(/^ENOENT: no such file/);
});

test('what an aborted signal says', () => {
  expect(wordsOf(AbortSignal.abort().reason)).toBe('This operation was aborted');
});

test('the code of an error without a message, as one of several failed connections is, or else its name', () => {
  expect(wordsOf(Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }))).toBe('ECONNREFUSED');
  expect(wordsOf(new RangeError())).toBe('RangeError');
});

test.each([['a string'], [undefined], [null], [42], [{ message: 'like an error' }]])(
  'nothing where %p was thrown',
  (error) => {
    expect(wordsOf(error)).toBe('no reason given');
  },
);
