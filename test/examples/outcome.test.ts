import { describe, expect, test } from '@jest/globals';
import { differences, type Expectation } from '../../examples/demo/outcome.ts';

const expected: Expectation = { status: '401', told: 'invalid_token', known: 'token_refused: ', reviews: 1 };
const actual = { ...expected, known: 'token_refused: no such Pod' };

describe('differences', () => {
  test('are none where all is as expected, whatever words follow the expected ones', () => {
    expect(differences(expected, actual)).toEqual([]);
    expect(differences(expected, { ...actual, received: 1 })).toEqual([]);
  });

  test('are none where a review is tried as often as expected', () => {
    expect(differences({ ...expected, received: 4 }, { ...actual, received: 4 })).toEqual([]);
    expect(differences({ ...expected, received: 4 }, { ...actual, received: 1 })).toEqual([
      'reviews: the API server should have counted 4, and counted 1',
    ]);
  });

  test.each([
    [{ status: '200' }, 'status: expected "401", got "200"'],
    [{ told: '' }, 'told: expected "invalid_token", got ""'],
    [{ known: 'token_expired: 3 s ago' }, 'known: expected "token_refused: ", got "token_expired: 3 s ago"'],
    [{ reviews: 2 }, 'reviews: expected 1, got 2'],
    [{ received: 2 }, 'reviews: the API server should have counted 1, and counted 2'],
  ])('name what is off: %j', (change, difference) => {
    expect(differences(expected, { ...actual, ...change })).toEqual([difference]);
  });
});
