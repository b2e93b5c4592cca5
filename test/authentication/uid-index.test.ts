import { expect, test } from '@jest/globals';
import { UidIndex } from '../../src/authentication/uid-index.ts';

test('holds any number of values for each uid, each once, and nothing once they are removed', () => {
  const index = new UidIndex<string>();
  for (const value of ['a', 'b', 'b', 'c']) index.add('uid-1', value);
  index.add('uid-2', 'a');
  index.add('uid-2', 'a');
  expect([index.get('uid-1'), index.get('uid-2'), index.get('uid-3')]).toEqual([['a', 'b', 'c'], ['a'], []]);
  index.remove('uid-2', 'other');
  index.remove('uid-3', 'a');
  expect([index.get('uid-2'), index.size]).toEqual([['a'], 2]);
  for (const value of index.get('uid-1')) index.remove('uid-1', value);
  index.remove('uid-2', 'a');
  expect([index.get('uid-1'), index.get('uid-2'), index.size]).toEqual([[], [], 0]);
});

test('keeps the others where one of several is removed', () => {
  const index = new UidIndex<string>();
  for (const value of ['a', 'b', 'c']) index.add('uid-1', value);
  index.remove('uid-1', 'b');
  expect([index.get('uid-1'), index.size]).toEqual([['a', 'c'], 1]);
});

test('forgets everything when it is cleared', () => {
  const index = new UidIndex<object>();
  index.add('uid-1', {});
  index.clear();
  expect([index.size, index.get('uid-1')]).toEqual([0, []]);
});
