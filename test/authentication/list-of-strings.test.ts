import { expect, jest, test } from '@jest/globals';
import { unverifiedClaims } from '../../src/authentication/claims.ts';
import { listOfStrings } from '../../src/authentication/list-of-strings.ts';
import { reviewOf } from '../../src/kubernetes/token-review.ts';
import { unsignedToken } from '../support/tokens.ts';
import { thrown } from '../support/caught.ts';

test.each([[[]], [['a']], [['', 'a']]])('%j is a list of strings', (list) => {
  expect(listOfStrings.parse(list)).toBe(list);
});

test.each([undefined, null, 'a', 1, {}, { length: 0 }, [1], ['a', null], [['a']]])('%j is none', (value) => {
  expect(listOfStrings.safeParse(value).success).toBe(false);
});

/** A list of wrong elements that counts how many of them are looked at. */
function countedList(): { readonly list: unknown[]; readonly looked: () => number } {
  let looked = 0;
  const list = new Proxy(Array<unknown>(3_000).fill(1), {
    get(target, key, receiver) {
      if (typeof key === 'string' && /^\d/.test(key)) looked += 1;
      return Reflect.get(target, key, receiver) as unknown;
    },
  });
  return { list, looked: () => looked };
}

test.each(['groups', 'audiences', 'extra'])(
  'a review is not read beyond the first wrong element of its %s',
  (place) => {
    const { list, looked } = countedList();
    const user = { username: 'a', groups: list, extra: { key: list } };
    const status = {
      authenticated: true,
      ...(place === 'audiences' ? { audiences: list } : { user: { username: 'a', [place]: user[place as 'groups'] } }),
    };
    expect(thrown(() => reviewOf({ status }, 'a.b.c'))).toMatchObject({ code: 'answer_invalid' });
    expect(looked()).toBe(1);
  },
);

test('claims are not read beyond the first wrong audience', () => {
  const { list, looked } = countedList();
  using parse = jest.spyOn(JSON, 'parse').mockReturnValueOnce({}).mockReturnValueOnce({ aud: list });
  expect(unverifiedClaims(unsignedToken({}))).toBeUndefined();
  expect([parse.mock.calls.length, looked()]).toEqual([2, 1]);
});
