import { describe, expect, test } from '@jest/globals';
import type { KubernetesObject } from '../../../src/testing/cluster-client/kubernetes-object.ts';
import { NODE, POD, SERVICE_ACCOUNT } from '../../../src/testing/simulated-cluster/kinds.ts';
import { parseFieldSelector } from '../../../src/testing/simulated-cluster/parse-field-selector.ts';

const pod: KubernetesObject = {
  kind: 'Pod',
  apiVersion: 'v1',
  metadata: { name: 'a,b=c\\', namespace: 'shop', uid: 'u', resourceVersion: '1', creationTimestamp: '' },
  spec: { nodeName: 'node-1' },
};

test.each([
  ['', true],
  ['=', true],
  ['!=', true],
  [',,', true],
  ['metadata.namespace=shop', true],
  ['metadata.namespace==shop,spec.nodeName=node-1', true],
  ['metadata.namespace!=shop', false],
  ['metadata.namespace=shop,spec.nodeName=node-2', false],
  ['metadata.name=a\\,b\\=c\\\\', true],
  ['spec.host=node-1', true],
  ['spec.hostNetwork=false', true],
  ['spec.hostNetwork=true', false],
  ['status.phase=', true],
  ['status.phase=Running', false],
])('%j selects the Pod: %s', (selector, isSelected) => {
  expect(parseFieldSelector(POD, selector)(pod)).toBe(isSelected);
});

describe('refuses', () => {
  test.each([
    ['metadata.name', "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
    ['metadata.name=a=b', 'invalid field selector: unescaped character in value: 61'],
    ['metadata.name=a\\x', 'invalid field selector: invalid escape sequence: \\x'],
    ['metadata.name=a\\', 'invalid field selector: invalid escape sequence: \\'],
    ['metadata.uid=u', 'field label not supported: metadata.uid'],
    ['=x', 'field label not supported: '],
  ])('%j', (selector, message) => {
    expect(() => parseFieldSelector(POD, selector)).toThrow(message);
  });

  test('what another kind has not, each in its own words', () => {
    expect(() => parseFieldSelector(NODE, 'spec.host=x')).toThrow('field label not supported: spec.host');
    expect(() => parseFieldSelector(SERVICE_ACCOUNT, 'spec.host=x')).toThrow(
      '"spec.host" is not a known field selector: only "metadata.name", "metadata.namespace"',
    );
  });
});
