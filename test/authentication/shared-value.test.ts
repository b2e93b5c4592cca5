import { describe, expect, test } from '@jest/globals';
import { sharedValue } from '../../src/authentication/shared-value.ts';

describe('a shared value', () => {
  test.each([
    ['lists', () => ['system:serviceaccounts', 'system:serviceaccounts:shop']],
    ['objects', () => ({ name: 'node-a', uid: 'uid-of-node-a' })],
  ])('is one for all %s that are equal, and frozen', (_, made) => {
    const first = sharedValue(made());
    expect(first).toEqual(made());
    expect(sharedValue(made())).toBe(first);
    expect(Object.isFrozen(first)).toBe(true);
    sharedValue(['another']);
    expect(sharedValue(made())).toBe(first);
  });

  test('is never that of another text, list or object', () => {
    const values = [
      'a,b',
      'a',
      '["a"]',
      ['a'],
      ['a,b'],
      ['a', 'b'],
      ['b', 'a'],
      [],
      [''],
      '',
      { name: 'a' },
      { uid: 'a' },
    ];
    expect(values.map((value) => sharedValue(value))).toEqual(values);
    expect(values.map((value) => sharedValue(structuredClone(value)))).toEqual(values);
  });

  test('is frozen and right where it is too long to be kept, and after ten thousand others', () => {
    const long = (): string[] => ['a'.repeat(2_000)];
    expect(sharedValue(long())).toEqual(long());
    expect(sharedValue(long())).not.toBe(sharedValue(long()));
    expect(Object.isFrozen(sharedValue(long()))).toBe(true);
    const early = sharedValue(['early']);
    for (let index = 0; index < 10_000; index++) sharedValue(`value-${index}`);
    expect(sharedValue(['early'])).not.toBe(early);
    expect(sharedValue(['early'])).toEqual(early);
  });
});
