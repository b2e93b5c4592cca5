import { describe, expect, test } from '@jest/globals';
import { anyRule, everyRule } from '../../src/authorization/combined-rules.ts';
import type { Rule } from '../../src/authorization/rule.ts';
import { fakeIdentity } from '../../src/testing/fake-identity.ts';
import { caught } from '../support/caught.ts';

const web = fakeIdentity('shop/web');
type Request = { readonly asked: string[] };

/** A rule that answers this, and remembers that it was asked. */
const rule = (name: string, answer: unknown): Rule<Request> => ({
  description: name,
  check: (_identity, req) => {
    req?.asked.push(name);
    if (answer instanceof Error) throw answer;
    return answer as boolean;
  },
});
const rulesOf = (answers: readonly unknown[]): Rule<Request>[] =>
  answers.map((answer, index) => rule('abcd'.charAt(index), answer));
const later = (answer: unknown): Promise<unknown> => Promise.resolve(answer);

interface Case {
  readonly name: string;
  readonly answers: () => readonly unknown[];
  readonly any: readonly [allowed: boolean, asked: string];
  readonly every: readonly [allowed: boolean, asked: string];
}
const cases: readonly Case[] = [
  { name: 'one yes', answers: () => [true], any: [true, 'a'], every: [true, 'a'] },
  { name: 'one no', answers: () => [false], any: [false, 'a'], every: [false, 'a'] },
  { name: 'yes, then no', answers: () => [true, false], any: [true, 'a'], every: [false, 'ab'] },
  { name: 'no, then yes', answers: () => [false, true], any: [true, 'ab'], every: [false, 'a'] },
  { name: 'no, no, yes, no', answers: () => [false, false, true, false], any: [true, 'abc'], every: [false, 'a'] },
  { name: 'yes, yes, yes', answers: () => [true, true, true], any: [true, 'a'], every: [true, 'abc'] },
  { name: 'texts and numbers that are like true', answers: () => [1, 'true'], any: [false, 'ab'], every: [false, 'a'] },
  { name: 'undefined', answers: () => [undefined, true], any: [true, 'ab'], every: [false, 'a'] },
];
const lateCases: readonly Case[] = [
  { name: 'a late yes', answers: () => [later(true)], any: [true, 'a'], every: [true, 'a'] },
  { name: 'a late no, then yes', answers: () => [later(false), true], any: [true, 'ab'], every: [false, 'a'] },
  { name: 'a late yes, then no', answers: () => [later(true), false], any: [true, 'a'], every: [false, 'ab'] },
  {
    name: 'no, late no, late no, yes',
    answers: () => [false, later(false), later(false), true],
    any: [true, 'abcd'],
    every: [false, 'a'],
  },
  {
    name: 'yes, late yes, yes, late no',
    answers: () => [true, later(true), true, later(false)],
    any: [true, 'a'],
    every: [false, 'abcd'],
  },
  {
    name: 'late values only like true',
    answers: () => [later(1), later('yes')],
    any: [false, 'ab'],
    every: [false, 'a'],
  },
  {
    name: 'a promise of another make',
    // oxlint-disable-next-line unicorn/no-thenable
    answers: () => [{ then: (resolve: (value: unknown) => void) => resolve(true) }],
    any: [true, 'a'],
    every: [true, 'a'],
  },
  {
    name: 'values that are only like true',
    answers: () => [1, 'true', {}, []],
    any: [false, 'abcd'],
    every: [false, 'a'],
  },
  { name: 'null and undefined', answers: () => [null, undefined], any: [false, 'ab'], every: [false, 'a'] },
  { name: 'like true, then yes', answers: () => [{}, true], any: [true, 'ab'], every: [false, 'a'] },
];
const kinds = [
  ['any', anyRule],
  ['every', everyRule],
] as const;

for (const [kind, combine] of kinds) {
  describe(`${kind}Rule`, () => {
    test.each(cases)(`$name: answers $${kind}.0 at once, having asked $${kind}.1`, (one) => {
      const asked: string[] = [];

      expect(combine(rulesOf(one.answers())).check(web, { asked })).toBe(one[kind][0]);
      expect(asked.join('')).toBe(one[kind][1]);
    });

    test.each(lateCases)(`$name: resolves to $${kind}.0, having asked $${kind}.1`, async (one) => {
      const asked: string[] = [];

      expect(await combine(rulesOf(one.answers())).check(web, { asked })).toBe(one[kind][0]);
      expect(asked.join('')).toBe(one[kind][1]);
    });

    test('a rule that throws throws through', () => {
      expect(() => combine(rulesOf([kind === 'every', new Error('broken')])).check(web, { asked: [] })).toThrow(
        'broken',
      );
    });

    test('a rule that throws after a late one rejects', async () => {
      const answer = combine(rulesOf([later(kind === 'every'), new Error('broken')])).check(web, { asked: [] });

      expect(await caught(Promise.resolve(answer))).toEqual(new Error('broken'));
    });

    test('a rule that rejects rejects through, and no other is asked', async () => {
      const asked: string[] = [];
      const answer = combine(rulesOf([Promise.reject(new Error('broken')), true])).check(web, { asked });

      expect(await caught(Promise.resolve(answer))).toEqual(new Error('broken'));
      expect(asked).toEqual(['a']);
    });

    test('the rules get the identity and the request', () => {
      const request = { asked: [] };
      const got: unknown[] = [];
      const spy: Rule<Request> = {
        description: 'spy',
        check: (...args) => {
          got.push(...args);
          return true;
        },
      };
      expect(combine([spy]).check(web, request)).toBe(true);

      expect(got[0]).toBe(web);
      expect(got[1]).toBe(request);
    });
  });
}

test('descriptions tell what is combined, nested ones too', () => {
  const [a, b] = [rule('namespace shop', true), rule('a Pod-bound token', true)];

  expect(anyRule([a, b]).description).toBe('any of (namespace shop, a Pod-bound token)');
  expect(everyRule([a, anyRule([b, a])]).description).toBe(
    'all of (namespace shop, any of (a Pod-bound token, namespace shop))',
  );
});
