import { describe, expect, test } from '@jest/globals';
import { hasLabels, parseLabelSelector } from '../../src/authorization/label-selector.ts';

function selects(selector: string, labels: Record<string, string> = {}): boolean {
  return parseLabelSelector(selector)(labels);
}

describe('selects', () => {
  test.each([
    ['', {}],
    ['app', { app: '' }],
    ['!app', {}],
    ['!constructor', {}],
    ['toString!=x', {}],
    ['app=web', { app: 'web' }],
    ['app==web', { app: 'web' }],
    ['app=', { app: '' }],
    ['app=,tier', { app: '', tier: 'x' }],
    ['app!=web', { app: 'db' }],
    ['app!=web', {}],
    ['app in (web, db)', { app: 'db' }],
    ['app in ()', { app: '' }],
    ['app in (,web)', { app: '' }],
    ['app in (web,)', { app: '' }],
    ['app notin (web)', {}],
    ['in in (in,notin)', { in: 'notin' }],
    ['size>4', { size: '5' }],
    ['size<4', { size: '3' }],
    ['example.com/app=web,!x', { 'example.com/app': 'web' }],
    ['\tapp = web', { app: 'web' }],
  ])('%j: %j', (selector, labels) => {
    expect(selects(selector, labels)).toBe(true);
  });

  test('an object without labels, if none is asked for', () => {
    expect(selects('!app')).toBe(true);
    expect(selects('app')).toBe(false);
  });

  test.each([
    ['app', {}],
    ['!app', { app: '' }],
    ['constructor', {}],
    ['app in ()', {}],
    ['app=web', { app: 'db' }],
    ['app=web', {}],
    ['app!=web', { app: 'web' }],
    ['app in (web, db)', { app: '' }],
    ['app notin (web)', { app: 'web' }],
    ['size>4', { size: '4' }],
    ['size>0', {}],
    ['size<1', { size: '' }],
    ['size<4', { size: 'x' }],
    ['app=web,tier=x', { app: 'web' }],
  ])('not %j: %j', (selector, labels) => {
    expect(selects(selector, labels)).toBe(false);
  });
});

describe('refuses', () => {
  test.each([
    [',', "found ',', expected: !, identifier, or 'end of string'"],
    ['app,', "found '', expected: identifier after ','"],
    ['app=web=x', "found '=', expected: ',' or 'end of string'"],
    ['!', "unable to parse requirement: found '', expected: identifier"],
    ['app web', "unable to parse requirement: found 'web', expected: in, notin, =, ==, !=, gt, lt"],
    ['app=(', "unable to parse requirement: found '(', expected: identifier"],
    ['app in web', "unable to parse requirement: found 'web' expected: '('"],
    ['app in (=', "unable to parse requirement: found '=', expected: ',', ')' or identifier"],
    ['app in (web', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['app in (web,', "unable to parse requirement: found '', expected: ',', or identifier"],
    [
      'size>x',
      "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
    ],
  ])('%j', (selector, message) => {
    expect(() => parseLabelSelector(selector)).toThrow(message);
  });

  test('a key that no label can have', () => {
    expect(() => parseLabelSelector('a/b/c')).toThrow(
      'unable to parse requirement: <nil>: Invalid value: "a/b/c": a valid label key must consist of',
    );
  });

  test('values that no label can have, all of them at once', () => {
    const message = (selector: string): string => {
      try {
        return String(parseLabelSelector(selector));
      } catch (error) {
        return String(error);
      }
    };
    expect(message('app=-web')).toContain(': values[0][app]: Invalid value: "-web": a valid label must be');
    expect(message('app in (b,-c,-a)')).toMatch(/: \[values\[0\]\[app\]: .*"-a".*, values\[1\]\[app\]: .*"-c".*\]$/);
  });
});

test.each([
  [{}, {}, true],
  [{ app: 'web' }, { app: 'web', tier: 'x' }, true],
  [{ app: 'web' }, { app: 'db' }, false],
  [{ app: 'web', tier: 'x' }, { app: 'web' }, false],
  [{ toString: 'x' }, {}, false],
])('%j are among %j: %j', (wanted, labels, among) => {
  expect(hasLabels(wanted, labels)).toBe(among);
});
