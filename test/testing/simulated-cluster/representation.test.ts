import { describe, expect, test } from '@jest/globals';
import type { KubernetesObject } from '../../../src/testing/cluster-client/kubernetes-object.ts';
import { POD, SERVICE_ACCOUNT } from '../../../src/testing/simulated-cluster/kinds.ts';
import { VERSION_TRAITS } from '../../../src/testing/simulated-cluster/kubernetes-version.ts';
import { type Representation, representationFor } from '../../../src/testing/simulated-cluster/representation.ts';

const metadata = { name: 'web-1', uid: 'u', resourceVersion: '7', creationTimestamp: '2026-01-01T00:00:00Z' };
const pod: KubernetesObject = { kind: 'Pod', apiVersion: 'v1', metadata, spec: { nodeName: 'node-1' } };
const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const LIST = METADATA_ONLY.replace('Metadata;', 'MetadataList;');
const partial = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' };

function shown(accept: string | undefined, shape: 'object' | 'list' | 'watch', kind = POD): Representation {
  const now = Date.parse('2026-01-01T00:01:00Z');
  return representationFor(accept, kind, { now, version: VERSION_TRAITS['1.36'], shape });
}

test.each([undefined, '', '*/*', 'text/html, application/json', 'application/json;as=Foo, application/json'])(
  'Accept: %j gets whole objects',
  (accept) => {
    const form = shown(accept, 'object');
    expect(form.one(pod)).toBe(pod);
    expect(form.list([pod], { resourceVersion: '9' })).toEqual({
      kind: 'PodList',
      apiVersion: 'v1',
      metadata: { resourceVersion: '9' },
      items: [{ metadata, spec: { nodeName: 'node-1' } }],
    });
  },
);

test('a bookmark is an object of which nothing is set', () => {
  expect(shown(undefined, 'watch').bookmark({ resourceVersion: '9' })).toEqual({
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { resourceVersion: '9' },
    spec: { containers: null },
    status: {},
  });
  expect(shown(undefined, 'watch', SERVICE_ACCOUNT).bookmark({})).toEqual({
    kind: 'ServiceAccount',
    apiVersion: 'v1',
    metadata: {},
  });
});

describe('metadata only', () => {
  test('of an object, and of the events of a watch', () => {
    for (const shape of ['object', 'watch'] as const) {
      expect(shown(METADATA_ONLY, shape).one(pod)).toEqual({ ...partial, metadata });
    }
    expect(shown(METADATA_ONLY, 'watch').bookmark({ resourceVersion: '9' })).toEqual({
      ...partial,
      metadata: { resourceVersion: '9' },
    });
  });

  test('of a list', () => {
    expect(shown(LIST, 'list').list([pod], {})).toEqual({
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1',
      metadata: {},
      items: [{ ...partial, metadata }],
    });
  });

  test('in the wrong form is refused', () => {
    expect(() => shown(METADATA_ONLY, 'list')).toThrow(
      'you requested PartialObjectMetadata, but the requested object is a list (*core.PodList)',
    );
    expect(() => shown(LIST, 'object').one(pod)).toThrow(
      'you requested PartialObjectMetadataList, but the requested object is not a list (*core.Pod)',
    );
  });
});

test('a table, for kubectl', () => {
  const table = shown('application/json;as=Table;v=v1;g=meta.k8s.io,application/json', 'list');
  const kind = 'Table';
  expect(table.one(pod)).toMatchObject({ kind, metadata: { resourceVersion: '7' }, rows: [{}] });
  expect(table.list([pod, pod], { resourceVersion: '9' })).toMatchObject({ kind, rows: [{}, {}] });
  expect(table.bookmark({ resourceVersion: '9' })).toMatchObject({ kind, metadata: { resourceVersion: '9' } });
});

describe('406', () => {
  const types = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';

  test.each(['text/plain', 'application/*'])('Accept: %s is told what there is', (accept) => {
    const available = `406: Not Acceptable\n\nAvailable representations: ${types}`;
    expect(() => shown(accept, 'object')).toThrow(new Error(available));
    expect(() => shown(accept, 'watch')).toThrow(
      `${available}, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch`,
    );
  });

  test.each([
    'application/yaml',
    'application/json;as=Foo;g=meta.k8s.io;v=v1',
    'application/json;as=Table;g=meta.k8s.io;v=v9',
    'application/json;as=Table;g=foo;v=v1',
    'application/json;as',
  ])('Accept: %s', (accept) => {
    expect(() => shown(accept, 'object')).toThrow(`only the following media types are accepted: ${types}`);
  });
});
