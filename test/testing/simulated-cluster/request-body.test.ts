import { describe, expect, test } from '@jest/globals';

import { readDeleteOptions, readMergePatch, readObject } from '../../../src/testing/simulated-cluster/request-body.ts';

const JSON_TYPE = 'application/json';
const PROTOBUF = 'application/vnd.kubernetes.protobuf';
/** A Secret without any content. */
const secret = Buffer.from('k8s\0\x0a\x0c\x0a\x02v1\x12\x06Secret\x12\x00', 'latin1');

function object(text: string | Buffer, contentType = JSON_TYPE, kind = 'Secret'): unknown {
  return readObject({ contentType, body: Buffer.from(text) }, kind, 'v1');
}

describe('an object', () => {
  test('is read from JSON, whatever the type is called where there is none', () => {
    expect(object('{"metadata":{"name":"a","labels":null}}', '')).toEqual({ metadata: { name: 'a' } });
    expect(object('null', 'Application/JSON; charset=utf-8')).toEqual({});
  });

  test('is read from protobuf', () => {
    expect(object(secret, PROTOBUF)).toEqual({ kind: 'Secret', apiVersion: 'v1' });
    expect(() => object(secret, PROTOBUF, 'Pod')).toThrow('cannot be handled as a Pod');
    expect(() => object('{}', PROTOBUF)).toThrow('unknown format');
  });

  test.each([
    ['application/yaml', '', 'the body of the request was in an unknown format'],
    [JSON_TYPE, '', 'unexpected end of JSON input (<empty>)'],
    [JSON_TYPE, '{"a":', 'unexpected end of JSON input ({"a":)'],
    [JSON_TYPE, '{a}', "invalid character 'a' ({a})"],
    [JSON_TYPE, '[]', 'cannot unmarshal array into Go value'],
    [JSON_TYPE, 'true', 'cannot unmarshal bool into Go value'],
    [JSON_TYPE, '"a"', '(226122)'],
    [JSON_TYPE, `{"a":"${'b'.repeat(2000)}`, `${'b'.repeat(1018)} ...)`],
    [JSON_TYPE, '{"kind":"Foo"}', 'no kind "Foo" is registered for version "v1"'],
    [JSON_TYPE, '{"kind":"Pod"}', 'converting (v1.Pod) to (core.Secret): unknown conversion'],
    [
      JSON_TYPE,
      '{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1"}',
      'TokenReview in version "v1" cannot be handled as a Secret',
    ],
  ])('in %s: %s is refused', (contentType, text, message) => {
    expect(() => object(text, contentType)).toThrow(message);
  });
});

describe('a patch', () => {
  test.each(['application/merge-patch+json', 'application/strategic-merge-patch+json'])(
    'of the type %s',
    (contentType) => {
      expect(readMergePatch({ contentType, body: Buffer.from('{"a":null}') })).toEqual({ a: null });
      expect(() => readMergePatch({ contentType, body: Buffer.from('[]') })).toThrow('cannot unmarshal array');
    },
  );

  test('of another type is refused', () => {
    expect(() => readMergePatch({ contentType: JSON_TYPE, body: Buffer.from('{}') })).toThrow('415');
  });
});

describe('the options of a deletion', () => {
  const read = (text: string | Buffer, query = '', contentType = JSON_TYPE): unknown =>
    readDeleteOptions({ contentType, body: Buffer.from(text) }, new URLSearchParams(query));

  test('are in the query where there is no body', () => {
    expect(read('')).toEqual({ dryRun: [] });
    expect(read('', 'gracePeriodSeconds=5&dryRun=All')).toEqual({ gracePeriodSeconds: 5, dryRun: ['All'] });
    expect(read('', 'gracePeriodSeconds=')).toEqual({ dryRun: [] });
    expect(() => read('', 'gracePeriodSeconds=x')).toThrow('strconv.ParseInt: parsing "x": invalid syntax');
  });

  test('are in the body where there is one', () => {
    expect(read('{"gracePeriodSeconds":0}', 'gracePeriodSeconds=5')).toEqual({ gracePeriodSeconds: 0 });
    const options = Buffer.from('k8s\0\x0a\x13\x0a\x02v1\x12\x0dDeleteOptions\x12\x02\x08\x05', 'latin1');
    expect(read(options, '', PROTOBUF)).toMatchObject({ kind: 'DeleteOptions', gracePeriodSeconds: 5 });
    expect(() => read('x', '', PROTOBUF)).toThrow('unknown format');
    expect(() => read('{', '')).toThrow('unexpected end of JSON input');
  });
});
