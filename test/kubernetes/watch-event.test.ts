import { describe, expect, test } from '@jest/globals';
import { isOlder, watchEventOf } from '../../src/kubernetes/watch-event.ts';
import { thrown } from '../support/caught.ts';
import { objectEvent } from '../support/scripted-api-server.ts';

const parse = (event: unknown): unknown => watchEventOf(JSON.stringify(event));

test.each(['ADDED', 'MODIFIED', 'DELETED'])('%s tells uid, version, and since when it terminates', (type) => {
  const metadata = { uid: 'uid-1', name: 'web-1', labels: { uid: 'uid-2' }, ownerReferences: [{ uid: 'uid-3' }] };
  expect(parse(objectEvent(type, '12', metadata))).toEqual({
    type,
    uid: 'uid-1',
    resourceVersion: '12',
    deletionTimestamp: undefined,
  });
  expect(parse(objectEvent(type, '12', { ...metadata, deletionTimestamp: '2026-01-01T00:00:30Z' }))).toMatchObject({
    deletionTimestamp: Date.UTC(2026, 0, 1, 0, 0, 30),
  });
});

test('BOOKMARK tells how far the watch has come, and ERROR why it ends, fit for a log line', () => {
  expect(parse(objectEvent('BOOKMARK', '12', {}))).toEqual({ type: 'BOOKMARK', resourceVersion: '12' });
  const status = { kind: 'Status', metadata: {}, code: 410, reason: 'Expired', message: 'too old\nresource version' };
  expect(parse({ type: 'ERROR', object: status })).toEqual({
    type: 'ERROR',
    code: 410,
    message: 'too old resource version',
  });
});

test.each<[string, unknown]>([
  ['no object', 'ADDED'],
  ['a list', []],
  ['without an object', { type: 'DELETED' }],
  ['of an unknown type', objectEvent('REPLACED', '12')],
  ['without a uid', objectEvent('DELETED', '12', {})],
  ['with an empty uid', objectEvent('DELETED', '12', { uid: '' })],
  ['with a version of 0', objectEvent('DELETED', '0')],
  ['with a version that is no number', objectEvent('DELETED', '12a')],
  ['with a deletionTimestamp that is no time', objectEvent('MODIFIED', '12', { uid: 'a', deletionTimestamp: 'soon' })],
  ['an error without a code', { type: 'ERROR', object: {} }],
])('an event that is %s is answer_invalid', (_, event) => {
  expect(thrown(() => parse(event))).toMatchObject({ code: 'answer_invalid' });
});

test.each(['', 'null', '{"type":"DELETED"', '{}{}'])('%j is answer_invalid', (line) => {
  expect(thrown(() => watchEventOf(line))).toMatchObject({ code: 'answer_invalid' });
});

describe('versions are in the order of their numbers, however large', () => {
  test.each([
    ['9', '10', true],
    ['10', '9', false],
    ['10', '10', false],
    ['9007199254740992', '9007199254740993', true],
    ['18446744073709551615', '18446744073709551614', false],
  ])('%s is older than %s: %p', (one, other, expected) => {
    expect(isOlder(one, other)).toBe(expected);
  });
});
