import { describe, expect, test } from '@jest/globals';
import { atLeast, atMost, exactly, isMet, type Row, single } from '../../bench/row.ts';

const row = (changes: Partial<Row>): Row => ({
  id: 'id',
  measure: 'measure',
  unit: 'unit',
  value: single(2),
  ...changes,
});

describe('the goal of a row', () => {
  test.each([
    ['at most', atMost(2), true],
    ['at most', atMost(1.99), false],
    ['at least', atLeast(2), true],
    ['at least', atLeast(2.01), false],
    ['exactly', exactly(2), true],
    ['exactly', exactly(1), false],
  ])('%s is met, or not', (_, goal, met) => {
    expect(isMet(row({ goal }))).toBe(met);
  });

  test('is neither met nor missed where nothing was measured, or where there is none', () => {
    expect(isMet(row({ value: undefined, goal: atMost(2) }))).toBeUndefined();
    expect(isMet(row({}))).toBeUndefined();
  });
});
