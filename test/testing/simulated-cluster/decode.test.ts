import { expect, test } from '@jest/globals';

import { decode } from '../../../src/testing/simulated-cluster/decode.ts';
import { deleteOptionsSchema, objectSchema } from '../../../src/testing/simulated-cluster/object-schema.ts';

test('what fits passes, with fields that are not known', () => {
  const pod = { metadata: { name: 'a' }, spec: { containers: [{ name: 'main', image: 'main' }], more: 1 }, more: true };
  expect(decode(objectSchema, 'Pod', pod)).toEqual(pod);
});

test.each([
  [{ metadata: 'a' }, 'string into Go struct field Secret.metadata of type v1.ObjectMeta'],
  [{ metadata: { name: 1 } }, 'number into Go struct field ObjectMeta.metadata.name of type string'],
  [{ metadata: { finalizers: 'a' } }, 'string into Go struct field ObjectMeta.metadata.finalizers of type []string'],
  [{ metadata: { labels: [] } }, 'array into Go struct field ObjectMeta.metadata.labels of type map[string]string'],
  [{ data: { a: 1 } }, 'number into Go struct field Secret.data.a of type string'],
  [{ roleRef: true }, 'bool into Go struct field Secret.roleRef of type v1.RoleRef'],
])('%j is refused in the words of Go', (body, words) => {
  expect(() => decode(objectSchema, 'Secret', body)).toThrow(
    `Secret in version "v1" cannot be handled as a Secret: json: cannot unmarshal ${words}`,
  );
});

test('so is what is no base64, and options by themselves', () => {
  expect(() => decode(objectSchema, 'Secret', { data: { a: '*' } })).toThrow('illegal base64 data at input byte 0');
  expect(() => decode(deleteOptionsSchema, 'DeleteOptions', { gracePeriodSeconds: 'x' })).toThrow(
    /^json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64$/,
  );
});
