import { describe, expect, test } from '@jest/globals';

import { readProtobuf } from '../../../src/testing/simulated-cluster/protobuf.ts';

const MAGIC = Buffer.from('k8s\0');

/** https://protobuf.dev/programming-guides/encoding */
function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

function field(number: number, value: string | Buffer | number | bigint): Buffer {
  if (typeof value === 'number' || typeof value === 'bigint') {
    return Buffer.concat([varint(number << 3), varint(value)]);
  }
  const bytes = Buffer.from(value);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

function message(...fields: readonly Buffer[]): Buffer {
  return Buffer.concat(fields);
}

function sent(apiVersion: string, kind: string, ...content: readonly Buffer[]): Buffer {
  return message(MAGIC, field(1, message(field(1, apiVersion), field(2, kind))), field(2, message(...content)));
}

describe('what clients written in Go send is read', () => {
  test('a Secret: names, maps, bytes, booleans', () => {
    const metadata = message(
      field(1, 'key'),
      field(3, 'shop'),
      field(11, message(field(1, 'app'), field(2, 'web'))),
      field(11, message(field(1, 'bare'))),
      field(14, 'example.com/a'),
      field(14, 'example.com/b'),
      field(8, message(field(1, 1_700_000_000))),
    );
    const data = message(field(1, 'a'), field(2, Buffer.from([0, 255])));
    const body = sent('v1', 'Secret', field(1, metadata), field(2, data), field(3, 'Opaque'), field(5, 1));
    expect(readProtobuf(body)).toEqual({
      kind: 'Secret',
      apiVersion: 'v1',
      metadata: {
        name: 'key',
        namespace: 'shop',
        labels: { app: 'web', bare: '' },
        finalizers: ['example.com/a', 'example.com/b'],
      },
      data: { a: 'AP8=' },
      type: 'Opaque',
      immutable: true,
    });
  });

  test('a TokenRequest: what is within something, and integers', () => {
    const boundObjectRef = message(field(1, 'Pod'), field(2, 'v1'), field(3, 'web-1'), field(4, ''));
    const spec = message(field(1, 'orders'), field(3, boundObjectRef), field(4, 3600));
    expect(readProtobuf(sent('authentication.k8s.io/v1', 'TokenRequest', field(2, spec)))).toEqual({
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      spec: {
        audiences: ['orders'],
        boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web-1' },
        expirationSeconds: 3600,
      },
    });
  });

  test('DeleteOptions: a negative number, and what is tried only', () => {
    expect(readProtobuf(sent('v1', 'DeleteOptions', field(1, -1n), field(5, 'All')))).toEqual({
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      gracePeriodSeconds: -1,
      dryRun: ['All'],
    });
  });

  test('a Role: lists of what has fields of its own', () => {
    const rule = message(field(1, 'get'), field(1, 'list'), field(2, ''), field(3, 'pods'));
    expect(readProtobuf(sent('rbac.authorization.k8s.io/v1', 'Role', field(2, rule), field(2, rule)))).toMatchObject({
      rules: [
        { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] },
        { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] },
      ],
    });
  });

  test('a label without a key', () => {
    const metadata = message(field(11, message(field(2, 'web'))));
    expect(readProtobuf(sent('v1', 'Namespace', field(1, metadata)))).toMatchObject({
      metadata: { labels: { '': 'web' } },
    });
  });

  test('fields that are not known are passed over, whatever their type', () => {
    const fixed64 = Buffer.concat([varint((90 << 3) | 1), Buffer.alloc(8)]);
    const fixed32 = Buffer.concat([varint((91 << 3) | 5), Buffer.alloc(4)]);
    const body = sent('v1', 'Namespace', fixed64, fixed32, field(92, 'x'), field(93, 7), field(1, field(1, 'shop')));
    expect(readProtobuf(body)).toEqual({ kind: 'Namespace', apiVersion: 'v1', metadata: { name: 'shop' } });
  });
});

describe('it is no object', () => {
  const spec = (bytes: Buffer): Buffer => sent('authentication.k8s.io/v1', 'TokenReview', field(2, bytes));

  test.each<[string, Buffer]>([
    ['without its first bytes', sent('v1', 'Secret').subarray(1)],
    ['of a kind that is taken as JSON only', sent('v1', 'Pod')],
    ['without an envelope', MAGIC],
    ['without content', message(MAGIC, field(1, message(field(1, 'v1'), field(2, 'Secret'))))],
    ['that ends in a number', sent('v1', 'Secret').subarray(0, 6)],
    ['that ends in a text', spec(field(1, 'token').subarray(0, 4))],
    ['with a number for a text', spec(field(1, 7))],
    ['with a number for what has fields', sent('authentication.k8s.io/v1', 'TokenReview', field(2, 7))],
    ['with a type of field that there is not', spec(varint((1 << 3) | 3))],
  ])('%s', (_what, body) => {
    expect(readProtobuf(body)).toBeUndefined();
  });

  test('but a text where a number should be is taken for 0', () => {
    const body = sent('v1', 'DeleteOptions', field(1, 'x'));
    expect(readProtobuf(body)).toMatchObject({ gracePeriodSeconds: 0 });
  });
});
