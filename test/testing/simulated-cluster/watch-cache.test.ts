import { beforeEach, expect, test } from '@jest/globals';
import type { KubernetesObject } from '../../../src/testing/cluster-client/kubernetes-object.ts';
import { POD } from '../../../src/testing/simulated-cluster/kinds.ts';
import { type Change, Store } from '../../../src/testing/simulated-cluster/store.ts';
import { WatchCache } from '../../../src/testing/simulated-cluster/watch-cache.ts';

function pod(name: string): KubernetesObject {
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name, namespace: 'shop', uid: name, resourceVersion: '', creationTimestamp: '' },
  };
}

let etcd: Store;
let store: Store;
let cache: WatchCache;
let changes: Change[];
beforeEach(() => {
  etcd = new Store();
  etcd.create(POD, pod('old'));
  store = new Store();
  cache = new WatchCache(etcd, store);
  changes = [];
  store.onChange((change) => changes.push(change));
});

function names(): string[] {
  return store.list(POD, 'shop').map(({ metadata }) => metadata.name);
}

test('knows what there is from the start, but not how it came to be', () => {
  expect(names()).toEqual(['old']);
  expect(store.version).toBe(1);
  expect(store.changesSince(0)).toBeUndefined();
});

test('takes over each change as it happens, its version included', () => {
  const created = etcd.create(POD, pod('new'));
  etcd.remove(POD, created);

  expect(changes.map(({ type, version }) => [type, version])).toEqual([
    ['ADDED', 2],
    ['DELETED', 3],
  ]);
  expect(names()).toEqual(['old']);
  expect(store.version).toBe(etcd.version);
});

test('learns of nothing while it is held, and of everything in its order once it is released', () => {
  cache.hold();
  etcd.create(POD, pod('new'));
  etcd.remove(POD, pod('old'));
  expect(names()).toEqual(['old']);
  expect(store.version).toBe(1);
  cache.release();

  expect(names()).toEqual(['new']);
  expect(changes.map(({ version }) => version)).toEqual([2, 3]);
  cache.release();
  etcd.create(POD, pod('newer'));
  expect(changes.map(({ version }) => version)).toEqual([2, 3, 4]);
});

test('reads everything anew, even while it is held, and misses nothing after', () => {
  cache.hold();
  etcd.create(POD, pod('a'));
  cache.reload();
  etcd.create(POD, pod('b'));

  expect(names()).toEqual(['a', 'old']);
  expect(store.forgottenUpTo).toBe(2);
  cache.release();
  expect(names()).toEqual(['a', 'b', 'old']);
});

test('does not change what it has copied', () => {
  cache.hold();
  etcd.remove(POD, pod('old'));
  store.forgetHistory();
  expect(names()).toEqual(['old']);
});

test('ends', () => {
  cache.close();
  etcd.create(POD, pod('new'));
  expect(names()).toEqual(['old']);
});
