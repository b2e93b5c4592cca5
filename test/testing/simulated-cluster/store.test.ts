import { expect, test } from '@jest/globals';
import { POD } from '../../../src/testing/simulated-cluster/kinds.ts';
import { type Change, Store } from '../../../src/testing/simulated-cluster/store.ts';

function pod(name: string): Parameters<Store['create']>[1] {
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name, namespace: 'shop', uid: name, resourceVersion: '', creationTimestamp: '' },
  };
}

test('each change is told once, with a resourceVersion above all before', () => {
  const store = new Store();
  const changes: Change[] = [];
  const off = store.onChange((change) => changes.push(change));
  const created = store.create(POD, pod('a'));
  const updated = store.update(POD, { ...created, metadata: { ...created.metadata, labels: { app: 'web' } } });
  store.remove(POD, updated);
  off();
  store.create(POD, pod('b'));

  expect(changes.map(({ type, object }) => [type, object.metadata.resourceVersion])).toEqual([
    ['ADDED', '1'],
    ['MODIFIED', '2'],
    ['DELETED', '3'],
  ]);
  expect(store.resourceVersion).toBe('4');
});

test('a change that a listener makes is told to all after the one it reacts to', () => {
  const store = new Store();
  const told: string[] = [];
  store.onChange(({ type, object }) => {
    if (type === 'ADDED' && object.metadata.name === 'cause') store.create(POD, pod('effect'));
  });
  store.onChange(({ object }) => told.push(object.metadata.name));
  store.create(POD, pod('cause'));
  expect(told).toEqual(['cause', 'effect']);
});

test('what is not there cannot be changed', () => {
  expect(() => new Store().update(POD, pod('a'))).toThrow('pods "a" not found');
});
