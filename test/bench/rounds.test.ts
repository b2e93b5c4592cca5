import { describe, expect, test } from '@jest/globals';
import { Rounds } from '../../bench/rounds.ts';

/** A subject that comes to one value after the other, and notes when its turn was. */
function subject(name: string, values: readonly number[], turns: string[]): () => number {
  const left = values.values();
  return () => {
    turns.push(name);
    return left.next().value ?? 1;
  };
}

describe('rounds', () => {
  test('every subject has its turn in every round, and each round starts with another', async () => {
    const turns: string[] = [];
    await Rounds.of({ a: subject('a', [], turns), b: subject('b', [], turns) }, [], { atLeast: 3, atMost: 3 });
    expect(turns.join('')).toBe('abbaabba');
  });

  test('a ratio is the median of what each round came to, the first one left out', async () => {
    const one = subject('one', [900, 10, 40, 30], []);
    const other = subject('other', [1, 10, 20, 10], []);
    const measured = await Rounds.of({ one, other }, [], { atLeast: 3, atMost: 3 });
    expect(measured.ratio('one', 'other')).toEqual({ low: 1.5, median: 2, high: 2.5, rounds: 3 });
  });

  test('a difference is the median of what each round came to, too', async () => {
    const one = subject('one', [900, 10, 40, 30], []);
    const other = subject('other', [1, 10, 20, 10], []);
    const measured = await Rounds.of({ one, other }, [], { atLeast: 3, atMost: 3 });
    expect(measured.difference('one', 'other')).toEqual({ low: 10, median: 20, high: 20, rounds: 3 });
  });

  test('rounds go on while the quartiles of a ratio lie far apart, and end all the same', async () => {
    const restless = subject('restless', [1, 1, 9, 1, 9, 1, 9, 1, 9], []);
    const steady = subject('steady', [], []);
    const ratios = [['restless', 'steady']] as const;
    const measured = await Rounds.of({ restless, steady }, ratios, { atLeast: 2, atMost: 5 });
    expect(measured.spread('restless').rounds).toBe(5);
    const calm = await Rounds.of({ restless: () => 2, steady }, ratios, { atLeast: 2, atMost: 5 });
    expect(calm.spread('restless').rounds).toBe(2);
  });
});
