import { expect, test } from '@jest/globals';

import { refuseUnknownFields } from '../../../src/testing/simulated-cluster/unknown-fields.ts';

const STRICT = new URLSearchParams('fieldValidation=Strict');

function problem(kind: string, body: unknown, query = STRICT): string {
  try {
    refuseUnknownFields(query, body, kind);
    return '';
  } catch (error) {
    return String(error);
  }
}

test('an object with nothing but its fields passes', () => {
  const secret = {
    kind: 'Secret',
    apiVersion: 'v1',
    metadata: { name: 'a', labels: { any: 'label' }, managedFields: [{ manager: 'x' }], ownerReferences: [{}] },
    data: { any: 'a2V5' },
    type: null,
    status: { anything: true },
  };
  expect(problem('Secret', secret)).toBe('');
});

test('each unknown field is named, with its place', () => {
  const role = {
    colour: 'red',
    metadata: { nam: 'a' },
    rules: [{ verbs: ['get'] }, { verb: ['get'], resources: ['pods'] }],
  };
  expect(problem('Role', role)).toContain(
    'Role in version "v1" cannot be handled as a Role: strict decoding error: unknown field "colour", ' +
      'unknown field "metadata.nam", unknown field "rules[1].verb"',
  );
});

test('fields of the wrong type are for others to refuse', () => {
  expect(problem('Role', { metadata: 'a', rules: 'b' })).toBe('');
});

test('nothing is refused where nobody asked, or where the kind has too many fields to know', () => {
  expect(problem('Role', { colour: 'red' }, new URLSearchParams('fieldValidation=Warn'))).toBe('');
  expect(problem('Role', { colour: 'red' }, new URLSearchParams())).toBe('');
  expect(problem('Pod', { colour: 'red' })).toBe('');
});
