import { describe, expect, test } from '@jest/globals';
import { continueToken } from '../../../src/testing/simulated-cluster/continue-token.ts';
import { POD } from '../../../src/testing/simulated-cluster/kinds.ts';
import { isTrue, parseListOptions, parseWatchOptions } from '../../../src/testing/simulated-cluster/list-options.ts';

const list = (query: string): object => parseListOptions(POD, new URLSearchParams(query));
const watch = (query: string, watchList = true): object =>
  parseWatchOptions(POD, new URLSearchParams(query), { watchList });
const FORBIDDEN = 'resourceVersionMatch: Forbidden: ';
const token = continueToken({ version: 5, start: '/web-1\0' });

test.each([
  [null, false],
  ['', true],
  ['1', true],
  ['true', true],
  ['x', true],
  ['0', false],
  ['False', false],
])('the boolean %j is %s', (value, expected) => {
  expect(isTrue(value)).toBe(expected);
});

describe('a list', () => {
  test.each([
    ['', { limit: 0, version: undefined, exact: false, continueFrom: undefined, isSelective: false }],
    ['limit=-1', { limit: 0 }],
    ['limit=%2B5', { limit: 5 }],
    ['resourceVersion=0&limit=1', { version: 0, limit: 1, exact: false }],
    ['resourceVersion=7', { version: 7, exact: false }],
    ['resourceVersion=7&limit=1', { version: 7, exact: true }],
    ['resourceVersion=7&resourceVersionMatch=Exact', { version: 7, exact: true }],
    ['resourceVersion=7&limit=1&resourceVersionMatch=NotOlderThan', { version: 7, exact: false }],
    [`continue=${token}`, { continueFrom: { version: 5, start: 'web-1\0' } }],
    [`continue=${token}&resourceVersion=0`, { version: 0 }],
    ['labelSelector=app', { isSelective: true }],
    ['fieldSelector=metadata.name=x', { isSelective: true }],
  ])('%s', (query, options) => {
    expect(list(query)).toMatchObject(options);
  });

  test.each([
    ['limit=', 'strconv.ParseInt: parsing "": invalid syntax'],
    ['timeoutSeconds=x', 'strconv.ParseInt: parsing "x": invalid syntax'],
    ['resourceVersion=x', 'invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint'],
    ['resourceVersion=18446744073709551616', 'value out of range'],
    [`resourceVersion=7&continue=${token}`, 'specifying resource version is not allowed when using continue'],
    ['resourceVersionMatch=Exact', `${FORBIDDEN}resourceVersionMatch is forbidden unless resourceVersion is provided`],
    [
      'resourceVersion=1&resourceVersionMatch=x',
      'Unsupported value: "x": supported values: "Exact", "NotOlderThan", ""',
    ],
    [
      'resourceVersion=0&resourceVersionMatch=Exact',
      'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ],
    ['resourceVersion=1&resourceVersionMatch=Exact&continue=x', 'resourceVersionMatch is forbidden when continue is'],
    ['sendInitialEvents', 'sendInitialEvents is forbidden for list'],
  ])('%s is refused', (query, message) => {
    expect(() => list(query)).toThrow(message);
  });
});

describe('a watch', () => {
  test.each([
    ['', { version: undefined, sendsInitialEvents: true, marksInitialEnd: false, bookmarks: false, timeoutSeconds: 0 }],
    ['allowWatchBookmarks=1', { sendsInitialEvents: true, marksInitialEnd: true, bookmarks: true }],
    ['resourceVersion=0&allowWatchBookmarks', { version: undefined, sendsInitialEvents: true, marksInitialEnd: true }],
    ['resourceVersion=7&allowWatchBookmarks=1', { version: 7, sendsInitialEvents: false, marksInitialEnd: false }],
    [
      'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=7',
      { version: 7, sendsInitialEvents: true, marksInitialEnd: false },
    ],
    [
      'sendInitialEvents=0&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=1',
      { version: undefined, sendsInitialEvents: false, marksInitialEnd: false },
    ],
    ['timeoutSeconds=30', { timeoutSeconds: 30 }],
  ])('%s', (query, options) => {
    expect(watch(query)).toMatchObject(options);
  });

  test('without the feature WatchList has no mark where its initial events end', () => {
    expect(watch('allowWatchBookmarks=1', false)).toMatchObject({ sendsInitialEvents: true, marksInitialEnd: false });
    expect(() => watch('sendInitialEvents=1&resourceVersionMatch=NotOlderThan', false)).toThrow(
      'sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled',
    );
  });

  test.each([
    ['resourceVersion=x', 'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax'],
    ['sendInitialEvents=1', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'],
    ['resourceVersionMatch=NotOlderThan', 'is forbidden for watch unless sendInitialEvents is provided'],
    ['resourceVersionMatch=Exact', 'Unsupported value: "Exact": supported values: "NotOlderThan"'],
    ['continue=x', 'resourceVersionMatch is forbidden when continue is provided'],
  ])('%s is refused', (query, message) => {
    expect(() => watch(query)).toThrow(message);
  });
});
