import { beforeEach, describe, expect, test } from '@jest/globals';
import type { KubernetesObject } from '../../../src/testing/cluster-client/kubernetes-object.ts';
import { SimulatedClock } from '../../../src/testing/simulated-cluster/clock.ts';
import { NODE, POD } from '../../../src/testing/simulated-cluster/kinds.ts';
import { VERSION_TRAITS } from '../../../src/testing/simulated-cluster/kubernetes-version.ts';
import { parseWatchOptions } from '../../../src/testing/simulated-cluster/list-options.ts';
import { representationFor } from '../../../src/testing/simulated-cluster/representation.ts';
import { Store } from '../../../src/testing/simulated-cluster/store.ts';
import { type StreamControl, Watch } from '../../../src/testing/simulated-cluster/watch.ts';

const version = { unstoredMetadata: {} };
let store: Store;
let clock: SimulatedClock;
beforeEach(() => {
  store = new Store();
  clock = new SimulatedClock();
});

function pod(name: string, labels: Record<string, string> = {}, namespace = 'shop'): KubernetesObject {
  const metadata = { name, namespace, uid: name, resourceVersion: '', creationTimestamp: '', labels };
  return { kind: 'Pod', apiVersion: 'v1', metadata };
}

/** What reads a watch, as fast as it is told to. */
class Reader {
  readonly events: string[] = [];
  isReady = true;
  isOver = false;
  readonly #control: StreamControl;

  constructor(query: string, { namespace = 'shop', accept }: { namespace?: string; accept?: string } = {}) {
    const options = parseWatchOptions(POD, new URLSearchParams(query), { watchList: true });
    const representation = representationFor(accept, POD, {
      now: clock.now(),
      version: VERSION_TRAITS['1.36'],
      shape: 'watch',
    });
    const watch = new Watch({ store, clock, version }, POD, namespace, options, representation);
    this.#take(watch.beginning);
    this.#control = watch.follow({
      isReady: () => this.isReady,
      write: (text) => this.#take(text),
      end: () => (this.isOver = true),
    });
  }

  resume(): void {
    this.isReady = true;
    this.#control.resume();
  }

  stop(): void {
    this.#control.stop();
  }

  #take(text: string): void {
    for (const line of text.split('\n').slice(0, -1)) {
      const { type, object } = JSON.parse(line);
      this.events.push(`${type} ${object.message ?? object.metadata.name ?? object.metadata.resourceVersion}`);
    }
  }
}

describe('begins', () => {
  test('with what there is, in the order of its keys, where no version is given', () => {
    store.create(POD, pod('b'));
    store.create(POD, pod('a'));
    store.create(POD, pod('elsewhere', {}, 'attic'));
    expect(new Reader('').events).toEqual(['ADDED a', 'ADDED b']);
    expect(new Reader('', { namespace: '' }).events).toEqual(['ADDED elsewhere', 'ADDED a', 'ADDED b']);
    expect(new Reader('allowWatchBookmarks=1').events).toEqual(['ADDED a', 'ADDED b', 'BOOKMARK 3']);
  });

  test('after the version that is given', () => {
    store.create(POD, pod('a'));
    store.create(NODE, pod('node'));
    store.create(POD, pod('b'));
    expect(new Reader('resourceVersion=1').events).toEqual(['ADDED b']);
    expect(new Reader('resourceVersion=3').events).toEqual([]);
  });

  test('with what comes next, where the initial events are declined', () => {
    store.create(POD, pod('a'));
    const reader = new Reader('sendInitialEvents=false&resourceVersionMatch=NotOlderThan');
    store.create(POD, pod('b'));
    expect(reader.events).toEqual(['ADDED b']);
  });

  test('and ends with an error where the version is forgotten, or its initial events are not there yet', () => {
    store.create(POD, pod('a'));
    store.create(POD, pod('b'));
    store.forgetHistory();
    const tooOld = new Reader('resourceVersion=1');
    expect(tooOld).toMatchObject({ events: ['ERROR too old resource version: 1 (2)'], isOver: true });
    tooOld.resume();
    tooOld.stop();
    expect(new Reader('resourceVersion=2')).toMatchObject({ events: [], isOver: false });
    expect(new Reader('sendInitialEvents=1&resourceVersionMatch=NotOlderThan&resourceVersion=9')).toMatchObject({
      events: ['ERROR Timeout: Too large resource version: 9, current: 2'],
      isOver: true,
    });
  });

  test('and ends at once where its time is over, or nothing can be shown in the form that is asked for', () => {
    store.create(POD, pod('a'));
    expect(new Reader('timeoutSeconds=-1')).toMatchObject({ events: [], isOver: true });
    const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
    expect(new Reader('', { accept })).toMatchObject({ events: [], isOver: true });
    const later = new Reader('resourceVersion=1', { accept });
    expect(later.isOver).toBe(false);
    store.create(POD, pod('b'));
    expect(later).toMatchObject({ events: [], isOver: true });
  });

  test('a defect is not taken for such a form', () => {
    store.create(POD, pod('a'));
    const boom = (): never => {
      throw new Error('boom');
    };
    const broken = { one: boom, list: boom, bookmark: boom };
    const options = parseWatchOptions(POD, new URLSearchParams(), { watchList: true });
    expect(() => new Watch({ store, clock, version }, POD, 'shop', options, broken)).toThrow('boom');
  });
});

test('a bookmark has the metadata of what is never stored', () => {
  const options = parseWatchOptions(POD, new URLSearchParams('allowWatchBookmarks=1'), { watchList: true });
  const representation = representationFor(undefined, POD, {
    now: clock.now(),
    version: VERSION_TRAITS['1.36'],
    shape: 'watch',
  });
  const watched = { store, clock, version: { unstoredMetadata: { creationTimestamp: null } } };
  const { beginning } = new Watch(watched, POD, 'shop', options, representation);
  expect(JSON.parse(beginning)).toMatchObject({ object: { metadata: { creationTimestamp: null } } });
});

describe('goes on', () => {
  test('with each change of its kind in its namespace', () => {
    const reader = new Reader('');
    store.create(POD, pod('a'));
    store.update(POD, pod('a', { app: 'web' }));
    store.create(NODE, pod('node'));
    store.create(POD, pod('elsewhere', {}, 'attic'));
    store.remove(POD, pod('a'));
    expect(reader.events).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
  });

  test('by its selector: what comes is added, what goes is deleted, what never was selected is not told', () => {
    const reader = new Reader('labelSelector=app=web');
    store.create(POD, pod('a', { app: 'web' }));
    store.update(POD, pod('a', { app: 'web', more: 'x' }));
    store.update(POD, pod('a', { app: 'db' }));
    store.update(POD, pod('a', { app: 'db', more: 'x' }));
    store.update(POD, pod('a', { app: 'web' }));
    store.create(POD, pod('b', { app: 'db' }));
    store.remove(POD, pod('b', { app: 'db' }));
    store.remove(POD, pod('a', { app: 'web' }));
    expect(reader.events).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a', 'ADDED a', 'DELETED a']);
  });

  test('from the future, once that has come', () => {
    const reader = new Reader('resourceVersion=3&allowWatchBookmarks=1');
    store.create(POD, pod('a'));
    store.create(POD, pod('b'));
    clock.advance(60_000);
    expect(reader.events).toEqual([]);
    store.create(POD, pod('c'));
    store.create(POD, pod('d'));
    expect(reader.events).toEqual(['ADDED d']);
  });

  test('where a slow reader left off', () => {
    const reader = new Reader('');
    reader.isReady = false;
    store.create(POD, pod('a'));
    store.create(POD, pod('b'));
    expect(reader.events).toEqual([]);
    reader.resume();
    expect(reader.events).toEqual(['ADDED a', 'ADDED b']);
  });

  test('not, if the reader was so slow that its place is forgotten', () => {
    const reader = new Reader('');
    reader.isReady = false;
    store.create(POD, pod('a'));
    store.forgetHistory();
    reader.resume();
    expect(reader).toMatchObject({ events: [], isOver: true });
  });

  test('not, once it is stopped', () => {
    const reader = new Reader('timeoutSeconds=90&allowWatchBookmarks=1&resourceVersion=0');
    expect(reader.events).toEqual(['BOOKMARK 0']);
    reader.stop();
    store.create(POD, pod('a'));
    clock.advance(120_000);
    expect(reader).toMatchObject({ events: ['BOOKMARK 0'], isOver: false });
  });
});

describe('in time', () => {
  test('it ends after timeoutSeconds, else after half an hour to an hour', () => {
    const [short, long] = [new Reader('timeoutSeconds=30'), new Reader('')];
    clock.advance(29_900);
    expect(short.isOver).toBe(false);
    clock.advance(100);
    expect(short.isOver).toBe(true);
    clock.advance(1_770_000 - 1);
    expect(long.isOver).toBe(false);
    clock.advance(1_800_000 + 1);
    expect(long.isOver).toBe(true);
  });

  test('a bookmark comes each minute and 2 s before the end, if they are wanted', () => {
    store.create(POD, pod('a'));
    const [reader, without] = ['&allowWatchBookmarks=1', ''].map(
      (more) => new Reader(`resourceVersion=1&timeoutSeconds=90${more}`),
    );
    clock.advance(59_900);
    expect(reader?.events).toEqual([]);
    clock.advance(100);
    expect(reader?.events).toEqual(['BOOKMARK 1']);
    store.create(NODE, pod('node'));
    clock.advance(28_000);
    expect(reader?.events).toEqual(['BOOKMARK 1', 'BOOKMARK 2']);
    clock.advance(2_000);
    expect(reader).toMatchObject({ events: ['BOOKMARK 1', 'BOOKMARK 2'], isOver: true });
    expect(without).toMatchObject({ events: [], isOver: true });
  });

  test('a watch of 2 s or less has none', () => {
    store.create(POD, pod('a'));
    const reader = new Reader('resourceVersion=1&timeoutSeconds=2&allowWatchBookmarks=1');
    clock.advance(2_000);
    expect(reader).toMatchObject({ events: [], isOver: true });
  });

  test('who cannot take anything gets no bookmark, and hears of the end after what came before it', () => {
    const reader = new Reader('timeoutSeconds=90&allowWatchBookmarks=1&resourceVersion=0');
    reader.isReady = false;
    store.create(POD, pod('a'));
    clock.advance(90_000);
    expect(reader).toMatchObject({ events: ['BOOKMARK 0'], isOver: false });
    reader.resume();
    expect(reader).toMatchObject({ events: ['BOOKMARK 0', 'ADDED a'], isOver: true });
  });
});
