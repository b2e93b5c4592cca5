import { expect, test } from '@jest/globals';

import type { KubernetesObject } from '../../../src/testing/cluster-client/kubernetes-object.ts';
import { deleteObject, isReleased } from '../../../src/testing/simulated-cluster/deletion.ts';
import { type Kind, POD, SECRET, SERVICE_ACCOUNT } from '../../../src/testing/simulated-cluster/kinds.ts';
import { Store } from '../../../src/testing/simulated-cluster/store.ts';

const now = Date.parse('2026-11-24T12:00:00Z');

interface Played {
  readonly answer: KubernetesObject;
  readonly gone: boolean;
  /** The changes, and of each what deletions change. */
  readonly events: readonly string[];
}

function deleted(kind: Kind, content: object, ...graceSeconds: readonly (number | undefined)[]): Played {
  const store = new Store();
  const { metadata, ...rest } = content as { metadata?: object };
  let object = store.create(kind, {
    kind: kind.kind,
    apiVersion: 'v1',
    ...rest,
    metadata: {
      name: 'a',
      namespace: 'shop',
      uid: 'u',
      resourceVersion: '',
      creationTimestamp: '2026-11-24T11:00:00Z',
      ...(kind === POD && { generation: 1 }),
      ...metadata,
    },
  });
  const events: string[] = [];
  store.onChange(({ type, object: { metadata: after } }) => {
    const { generation = 0, deletionTimestamp = '-', deletionGracePeriodSeconds = '-', resourceVersion } = after;
    events.push(
      [type, resourceVersion, generation, deletionTimestamp.slice(11, 19), deletionGracePeriodSeconds].join(' '),
    );
  });
  let gone = false;
  for (const seconds of graceSeconds) ({ object, gone } = deleteObject(store, kind, object, now, seconds));
  return { answer: object, gone, events };
}

test('what nothing holds is gone without having been seen to go', () => {
  expect(deleted(SECRET, {}, undefined)).toMatchObject({ gone: true, events: ['DELETED 2 0  -'] });
  expect(deleted(SERVICE_ACCOUNT, { metadata: { finalizers: [] } }, 30).answer.metadata).toMatchObject({
    resourceVersion: '2',
  });
});

test('a finalizer holds it, terminating', () => {
  const held = { metadata: { finalizers: ['example.com/hold'] } };
  expect(deleted(SERVICE_ACCOUNT, held, undefined)).toMatchObject({ gone: false, events: ['MODIFIED 2 0 12:00:00 0'] });
  expect(deleted(SERVICE_ACCOUNT, held, undefined, undefined).events).toHaveLength(1);
  expect(deleted(POD, held, 0)).toMatchObject({ gone: false, events: ['MODIFIED 2 2 12:00:00 0'] });
});

const onNode = { spec: { nodeName: 'n', terminationGracePeriodSeconds: 30 } };

test.each<[string, object, readonly (number | undefined)[], readonly string[]]>([
  ['without a Node is gone at once', {}, [undefined], ['MODIFIED 2 2 12:00:00 0', 'DELETED 3 2 12:00:00 0']],
  ['on a Node has the grace that it asks for', onNode, [undefined], ['MODIFIED 2 2 12:00:30 30']],
  [
    'on a Node that asks for none is gone at once',
    { spec: { nodeName: 'n' } },
    [undefined],
    ['MODIFIED 2 2 12:00:00 0', 'DELETED 3 2 12:00:00 0'],
  ],
  ['has the grace that the deletion names', onNode, [60], ['MODIFIED 2 2 12:01:00 60']],
  ['has a second of it if that is negative', onNode, [-5], ['MODIFIED 2 2 12:00:01 1']],
  ['is gone at once where it names none', onNode, [0], ['MODIFIED 2 2 12:00:00 0', 'DELETED 3 2 12:00:00 0']],
  [
    'that is over needs none',
    { ...onNode, status: { phase: 'Succeeded' } },
    [30],
    ['MODIFIED 2 2 12:00:00 0', 'DELETED 3 2 12:00:00 0'],
  ],
  [
    'that terminates can be given less, never more',
    onNode,
    [30, 5, 60, 0],
    ['MODIFIED 2 2 12:00:30 30', 'MODIFIED 3 2 12:00:05 5', 'MODIFIED 4 2 12:00:00 0', 'DELETED 5 2 12:00:00 0'],
  ],
])('a Pod %s', (_what, content, graceSeconds, events) => {
  expect(deleted(POD, content, ...graceSeconds).events).toEqual(events);
});

test.each([
  [{}, false],
  [{ deletionTimestamp: 'x' }, true],
  [{ deletionTimestamp: 'x', deletionGracePeriodSeconds: 0, finalizers: [] }, true],
  [{ deletionTimestamp: 'x', deletionGracePeriodSeconds: 30 }, false],
  [{ deletionTimestamp: 'x', finalizers: ['a.b/c'] }, false],
])('%j: released %s', (metadata, released) => {
  const common = { name: 'a', uid: 'u', resourceVersion: '1', creationTimestamp: 'x' };
  expect(isReleased({ metadata: { ...common, ...metadata } })).toBe(released);
});
