import { describe, expect, test } from '@jest/globals';
import { type AcceptedValues, acceptedValuesRule } from '../../src/authorization/accepted-values.ts';
import type { Rule } from '../../src/authorization/rule.ts';
import { fakeIdentity } from '../../src/testing/fake-identity.ts';

interface Query {
  readonly asked: unknown;
}
const web = fakeIdentity('shop/web', { groups: ['payers'] });

function groupRule(...accepted: AcceptedValues<Query>): Rule<Query> {
  return acceptedValuesRule(
    {
      guardName: 'requireTeam',
      what: 'team',
      of: ({ groups }) => [undefined, ...groups],
      faultOf: (value) => (value.includes(' ') ? 'has a blank' : undefined),
    },
    accepted,
  );
}

describe('values', () => {
  test.each<[string, AcceptedValues<Query>, boolean]>([
    ['the one that the identity has', ['payers'], true],
    ['one that it has not', ['buyers'], false],
    ['one that is a part of what it has', ['payer'], false],
    ['one in other letters', ['Payers'], false],
    ['several with the right one last', ['buyers', 'payers'], true],
    ['a list', [['buyers', 'payers']], true],
    ['lists and single ones mixed', [['buyers'], 'sellers', ['payers']], true],
    ['several wrong ones', ['buyers', 'sellers'], false],
    ['the word that a missing value reads as', ['undefined'], false],
  ])('%s: %j gives %j', (_name, accepted, allowed) => {
    expect(groupRule(...accepted).check(web)).toBe(allowed);
  });

  test('a list that its owner changes later changes nothing', () => {
    const teams = ['buyers'];
    const rule = groupRule(teams);
    teams.push('payers');

    expect(rule.check(web)).toBe(false);
  });

  test.each<[string, readonly unknown[], string]>([
    ['nothing', [], 'requireTeam: expected at least one team, got none'],
    ['an empty list', [[]], 'requireTeam: expected at least one team, got none'],
    ['only empty lists', [[], []], 'requireTeam: expected at least one team, got none'],
    ['undefined', [undefined], 'requireTeam: expected a team, got undefined. Is an environment variable missing?'],
    [
      'undefined after a good one',
      ['payers', undefined],
      'requireTeam: expected a team, got undefined. Is an environment variable missing?',
    ],
    [
      'undefined in a list',
      [['payers', undefined]],
      'requireTeam: expected a team, got undefined. Is an environment variable missing?',
    ],
    ['an empty text', [''], 'requireTeam: expected a team, got an empty string. Is an environment variable missing?'],
    ['a number', [7], 'requireTeam: expected a team, got number. Is an environment variable missing?'],
    ['null', [null], 'requireTeam: expected a team, got object. Is an environment variable missing?'],
    [
      'a list in a list',
      [[['payers']]],
      'requireTeam: expected a team, got object. Is an environment variable missing?',
    ],
    ['a value of the wrong form', ['pay\n ers'], String.raw`requireTeam: "pay\n ers" has a blank`],
    [
      'a function after a value',
      ['payers', () => 'a'],
      'requireTeam: expected a team, got function. Is an environment variable missing?',
    ],
    [
      'a function in a list',
      [[() => 'a']],
      'requireTeam: expected a team, got function. Is an environment variable missing?',
    ],
    [
      'a value after a function',
      [() => 'a', 'payers'],
      'requireTeam: give values or one function of the request, not both',
    ],
    ['two functions', [() => 'a', () => 'b'], 'requireTeam: give values or one function of the request, not both'],
  ])('%s throws where the rule is made', (_name, accepted, message) => {
    expect(() => groupRule(...(accepted as AcceptedValues<Query>))).toThrow(new TypeError(message));
  });

  test('what is no text is told by its type alone: it may be a whole request', () => {
    const request = { headers: { authorization: 'Bearer top-secret' } };
    const make = (): unknown => groupRule(...([request] as never));

    expect(make).toThrow(TypeError);
    expect(make).not.toThrow(/secret|authorization|headers/);
  });

  test('the description names each value once', () => {
    expect(groupRule('payers').description).toBe('team payers');
    expect(groupRule(['payers', 'buyers'], 'payers').description).toBe('team payers or buyers');
  });
});

describe('a function of the request', () => {
  const rule = groupRule((req) => req.asked as string);

  test.each<[string, unknown, boolean]>([
    ['the value that the identity has', 'payers', true],
    ['another value', 'buyers', false],
    ['undefined', undefined, false],
    ['an empty text', '', false],
    ['null', null, false],
    ['a list, even of one right value', ['payers'], false],
    ['a list of two', ['payers', 'buyers'], false],
    ['a number', 0, false],
    ['an object that reads as the value', { toString: () => 'payers' }, false],
    ['a String object', Object('payers'), false],
    ['true', true, false],
    ['a promise of the value', Promise.resolve('payers'), false],
  ])('that returns %s', (_name, asked, allowed) => {
    expect(rule.check(web, { asked })).toBe(allowed);
  });

  test('that returns undefined refuses even an identity that has an undefined value', () => {
    const nodeless = acceptedValuesRule<Query>({ guardName: 'requireX', what: 'x', of: () => [undefined, ''] }, [
      ({ asked }) => asked as string,
    ]);

    expect(nodeless.check(web, { asked: undefined })).toBe(false);
    expect(nodeless.check(web, { asked: '' })).toBe(false);
  });

  test('is asked anew for each request', () => {
    expect([rule.check(web, { asked: 'payers' }), rule.check(web, { asked: 'buyers' })]).toEqual([true, false]);
  });

  test('cannot be checked without a request, and says so', () => {
    expect(() => rule.check(web)).toThrow(new TypeError('requireTeam: check() needs the request for a function of it'));
  });

  test('what it throws comes through', () => {
    const failure = new Error('No such parameter');
    const throwing = groupRule(() => {
      throw failure;
    });

    expect(() => throwing.check(web, { asked: '' })).toThrow(failure);
  });

  test('is described without its value, which differs by request', () => {
    expect(rule.description).toBe('team named by the request');
  });
});
