import { expect, test } from '@jest/globals';
import { labelKeyProblems, labelValueProblems } from '../../src/authorization/label-rules.ts';

test.each(['app', 'a', 'App_1.x-y', 'example.com/app', 'x'.repeat(63)])('the key %s is good', (key) => {
  expect(labelKeyProblems(key)).toEqual([]);
});

test.each([
  ['', ['name part must be non-empty', 'name part must consist of']],
  ['-app', ['name part must consist of']],
  ['x'.repeat(64), ['name part must be no more than 63 bytes']],
  ['/app', ['prefix part must be non-empty']],
  ['A_/app', ['prefix part a lowercase RFC 1123 subdomain']],
  ['example.com/', ['name part must be non-empty', 'name part must consist of']],
  ['a/b/c', ['a valid label key must consist of']],
])('the key %j is not', (key, problems) => {
  expect(labelKeyProblems(key)).toEqual(problems.map((problem) => expect.stringContaining(problem)));
});

test.each([
  ['', []],
  ['web', []],
  ['-web', ['a valid label must be an empty string or consist of']],
  ['x'.repeat(64), ['must be no more than 63 bytes']],
])('the value %j', (value, problems) => {
  expect(labelValueProblems(value)).toEqual(problems.map((problem) => expect.stringContaining(problem)));
});
