import { describe, expect, test } from '@jest/globals';
import { NODE, POD } from '../../../src/testing/simulated-cluster/kinds.ts';
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

function labelled(object: Parameters<Store['create']>[1], app: string): Parameters<Store['create']>[1] {
  return { ...object, metadata: { ...object.metadata, labels: { app } } };
}

function names(store: Store, version = store.version): string[] | undefined {
  return store.listAt(version, POD, 'shop')?.map(({ metadata }) => `${metadata.name} ${metadata.labels?.['app']}`);
}

test('what changes nothing is no change', () => {
  const store = new Store();
  const created = store.create(POD, labelled(pod('a'), 'web'));
  const same = labelled({ ...pod('a'), spec: undefined }, 'web');

  expect(store.update(POD, same)).toBe(created);
  expect(store.resourceVersion).toBe('1');
});

describe('the past', () => {
  function storeWithPast(): Store {
    const store = new Store();
    store.create(POD, labelled(pod('b'), 'web')); // 1
    store.create(POD, labelled(pod('a'), 'web')); // 2
    store.update(POD, labelled(pod('b'), 'db')); // 3
    store.create(NODE, pod('node')); // 4
    store.remove(POD, pod('a')); // 5
    store.create(POD, labelled(pod('c'), 'web')); // 6
    return store;
  }

  test('is remembered at each version', () => {
    const store = storeWithPast();
    expect([0, 1, 2, 3, 4, 5, 6].map((version) => names(store, version))).toEqual([
      [],
      ['b web'],
      ['a web', 'b web'],
      ['a web', 'b db'],
      ['a web', 'b db'],
      ['b db'],
      ['b db', 'c web'],
    ]);
    expect(store.changesSince(4)?.map(({ type, version }) => [type, version])).toEqual([
      ['DELETED', 5],
      ['ADDED', 6],
    ]);
    expect(store.changesSince(99)).toEqual([]);
  });

  test('is forgotten, but not the present', () => {
    const store = storeWithPast();
    store.forgetHistory();

    expect(store.forgottenUpTo).toBe(6);
    expect(names(store, 5)).toBeUndefined();
    expect(store.changesSince(5)).toBeUndefined();
    expect(names(store)).toEqual(['b db', 'c web']);
  });

  test('is forgotten after a thousand changes', () => {
    const store = new Store();
    for (let changes = 0; changes < 1_001; changes += 1) store.create(POD, pod(`pod-${changes}`));

    expect(store.forgottenUpTo).toBe(1);
    expect(store.changesSince(0)).toBeUndefined();
    expect(store.changesSince(1)?.length).toBe(1_000);
  });
});
