import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { ClusterClient } from '../../../src/testing/cluster-client/cluster-client.ts';
import type { ObjectHandle } from '../../../src/testing/cluster-client/object-handle.ts';
import { type OpenWatch, openWatch, type WatchEvent } from '../../support/open-watch.ts';
import { readClusterInfo } from '../cluster-info.ts';
import { type OwnCluster, startOwnCluster } from '../conformance/own-cluster.ts';
import { startTestCluster, type TestCluster } from '../conformance/test-cluster.ts';

const id = randomBytes(4).toString('hex');
const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const HOLD = ['example.com/hold'];
// A given cluster's API server is not ours to restart.
const describeOwn = (await readClusterInfo())?.kind === 'given' ? describe.skip : describe;

let cluster: TestCluster;
const namespaces: string[] = [];

beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(async () => {
  for (const namespace of namespaces) await cluster.client.request('DELETE', `/api/v1/namespaces/${namespace}`);
  await cluster.client.request('DELETE', `/api/v1/nodes/node-${id}`);
  await cluster[Symbol.asyncDispose]();
});

/** A namespace of a test's own. */
async function shop(): Promise<string> {
  const name = `shop-${namespaces.length}-${id}`;
  namespaces.push(name);
  await cluster.client.createNamespace(name);
  return name;
}

function podsOf(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/pods`;
}

function watch(path: string, accept = 'application/json'): Promise<OpenWatch> {
  return openWatch(cluster.client.kubeConfig, path, { accept });
}

interface List {
  readonly kind: string;
  readonly metadata: {
    readonly resourceVersion: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
  readonly items: readonly WatchEvent['object'][];
}

async function list(path: string, client: ClusterClient = cluster.client): Promise<List> {
  const { status, body } = await client.request('GET', path);
  expect({ status, body }).toMatchObject({ status: 200 });
  return body as List;
}

/** Where a watch begins that is not to say what there is already: at a list of next to nothing. */
async function now(path: string, client?: ClusterClient): Promise<string> {
  return (await list(`${path}?limit=1`, client)).metadata.resourceVersion;
}

/** What has come until a Pod that is made now: nothing from before is still to come. */
async function upToNow(opened: OpenWatch, namespace: string): Promise<readonly WatchEvent[]> {
  const { uid } = await cluster.client.createPod(`${namespace}/end-${randomBytes(4).toString('hex')}`, {
    labels: { app: 'web' },
  });
  const end = await opened.find(({ object }) => object.metadata['uid'] === uid);
  return opened.events.slice(0, opened.events.indexOf(end));
}

async function versionOf(handle: ObjectHandle): Promise<string | undefined> {
  return (await handle.get())?.metadata.resourceVersion;
}

async function patch(path: string, metadata: object): Promise<void> {
  const headers = { 'content-type': 'application/merge-patch+json' };
  const { status } = await cluster.client.request('PATCH', path, { metadata }, { headers });
  expect(status).toBe(200);
}

/** Without what differs from run to run. */
function comparable(value: unknown): unknown {
  const text = JSON.stringify(value, (key, part: unknown) => (key === 'managedFields' ? undefined : part));
  return JSON.parse(
    text
      .replaceAll(new RegExp(`shop-\\d+-${id}`, 'g'), 'shop')
      .replaceAll(`-${id}`, '')
      .replaceAll(/"uid":"[^"]+"/g, '"uid":"<uid>"')
      .replaceAll(/"resourceVersion":"\d+"/g, '"resourceVersion":"<version>"')
      .replaceAll(/current: \d+/g, 'current: <version>')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '<time>'),
  );
}

function named(events: readonly WatchEvent[]): string[] {
  return events.map(({ type, object }) => `${type} ${object.metadata.name}`);
}

function versionsOf(events: readonly WatchEvent[]): number[] {
  return events.map(({ object }) => Number(object.metadata.resourceVersion));
}

/** An event's metadata, as everything has it here. */
const common = { namespace: 'shop', uid: '<uid>', resourceVersion: '<version>', creationTimestamp: '<time>' };
const terminating = { deletionTimestamp: '<time>', deletionGracePeriodSeconds: 0 };
function metadataEvent(type: string, name: string, more: object): object {
  const metadata = { name, ...common, generation: 1, ...more };
  return { type, object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata } };
}

describe('A list says from where to watch', () => {
  test('limit=1 shows one of all; resourceVersion=0 pays no heed to a limit', async () => {
    const namespace = await shop();
    for (const name of ['a', 'b', 'c']) await cluster.client.createPod(`${namespace}/${name}`);
    const names = ({ items }: List): unknown[] => items.map(({ metadata }) => metadata.name);
    const some = await list(`${podsOf(namespace)}?limit=1`);
    const all = await list(`${podsOf(namespace)}?limit=1&resourceVersion=0`);

    expect(names(some)).toEqual(['a']);
    expect(some.metadata).toMatchObject({ continue: expect.any(String), remainingItemCount: 2 });
    expect(names(all)).toEqual(['a', 'b', 'c']);
    expect(all.metadata.continue).toBeUndefined();
    // Go on where the first one ended: what has come to be since is not in it.
    await cluster.client.createPod(`${namespace}/bb`);
    const rest = await list(`${podsOf(namespace)}?limit=5&continue=${some.metadata.continue}`);
    expect(names(rest)).toEqual(['b', 'c']);
    expect(rest.metadata).toEqual({ resourceVersion: some.metadata.resourceVersion });
    const version = some.metadata.resourceVersion;
    expect(names(await list(`${podsOf(namespace)}?limit=5&resourceVersion=${version}`))).toEqual(['a', 'b', 'c']);
    expect(
      names(await list(`${podsOf(namespace)}?limit=5&resourceVersion=${version}&resourceVersionMatch=NotOlderThan`)),
    ).toEqual(['a', 'b', 'bb', 'c']);
  });

  test('a watch from there says nothing of what there was, and each change once, at its version', async () => {
    const namespace = await shop();
    const old = await cluster.client.createPod(`${namespace}/old`);
    using opened = await watch(`${podsOf(namespace)}?watch=1&resourceVersion=${await now(podsOf(namespace))}`);
    const young = await cluster.client.createPod(`${namespace}/young`);
    await patch(young.path, { labels: { app: 'web' } });
    // What changes nothing is no change.
    await patch(young.path, { labels: { app: 'web' } });
    await patch(young.path, { annotations: {}, finalizers: [] });
    await old.delete();
    const events = await upToNow(opened, namespace);

    expect(opened.status).toBe(200);
    expect(opened.headers['content-type']).toBe('application/json');
    expect(named(events)).toEqual(['ADDED young', 'MODIFIED young', 'MODIFIED old', 'DELETED old']);
    expect(versionsOf(events)).toEqual(versionsOf(events).toSorted((a, b) => a - b));
    expect(new Set(versionsOf(events)).size).toBe(events.length);
    expect(events[0]?.object).toEqual(
      expect.objectContaining({ kind: 'Pod', apiVersion: 'v1', spec: expect.anything() }),
    );
  });

  test('a watch goes on from the version of an event, or of an object', async () => {
    const namespace = await shop();
    const first = await cluster.client.createPod(`${namespace}/first`);
    const version = await versionOf(first);
    await cluster.client.createPod(`${namespace}/second`);
    await cluster.client.createPod(`${namespace}/third`);
    using opened = await watch(`${podsOf(namespace)}?watch=1&resourceVersion=${version}`);
    const second = await opened.find(({ object }) => object.metadata.name === 'second');
    using resumed = await watch(
      `${podsOf(namespace)}?watch=true&resourceVersion=${second.object.metadata.resourceVersion}`,
    );

    expect(named(await upToNow(resumed, namespace))).toEqual(['ADDED third']);
    await opened.find(({ object }) => object.metadata.name?.startsWith('end') === true);
    expect(named(opened.events).slice(0, 2)).toEqual(['ADDED second', 'ADDED third']);
  });

  test.each(['', '&resourceVersion=0'])('a watch without a version (%j) begins with all there is', async (version) => {
    const namespace = await shop();
    for (const name of ['b', 'a']) await cluster.client.createPod(`${namespace}/${name}`);
    using opened = await watch(`${podsOf(namespace)}?watch=1${version}`);
    const events = await upToNow(opened, namespace);

    expect(named(events)).toEqual(['ADDED a', 'ADDED b']);
  });

  test('a namespace that is not there has no Pods, and may come to be', async () => {
    const namespace = `shop-${namespaces.length}-${id}`;
    const { kind, items, metadata } = await list(podsOf(namespace));
    expect({ kind, items }).toEqual({ kind: 'PodList', items: [] });
    using opened = await watch(`${podsOf(namespace)}?watch=1&resourceVersion=${metadata.resourceVersion}`);
    namespaces.push(namespace);
    await cluster.client.createPod(`${namespace}/web`);
    expect(named(await upToNow(opened, namespace))).toEqual(['ADDED web']);
  });

  test('a watch of one namespace, or of all', async () => {
    const [here, there] = [await shop(), await shop()];
    const version = await now(podsOf(here));
    using ofOne = await watch(`${podsOf(here)}?watch=1&resourceVersion=${version}`);
    using ofAll = await watch(`/api/v1/pods?watch=1&resourceVersion=${version}`);
    await cluster.client.createPod(`${there}/web-there`);
    await cluster.client.createPod(`${here}/web-here`);

    expect(named(await upToNow(ofOne, here))).toEqual(['ADDED web-here']);
    await ofAll.find(({ object }) => object.metadata.name === 'web-here');
    expect(named(ofAll.events)).toEqual(expect.arrayContaining(['ADDED web-there', 'ADDED web-here']));
  });
});

describe('A deletion', () => {
  test('of a Pod: it is seen terminating, then gone; its metadata is enough', async () => {
    const namespace = await shop();
    const path = `${podsOf(namespace)}?watch=1&resourceVersion=${await now(podsOf(namespace))}`;
    using opened = await watch(path, METADATA_ONLY);
    const pod = await cluster.client.createPod(`${namespace}/web`, { labels: { app: 'web' } });
    await pod.delete();

    const labels = { app: 'web' };
    expect(comparable(await upToNow(opened, namespace))).toEqual([
      metadataEvent('ADDED', 'web', { labels }),
      metadataEvent('MODIFIED', 'web', { labels, generation: 2, ...terminating }),
      metadataEvent('DELETED', 'web', { labels, generation: 2, ...terminating }),
    ]);
  });

  test('of a Pod on a Node: terminating for its grace period, which may be shortened', async () => {
    const namespace = await shop();
    const pod = await cluster.client.createPod(`${namespace}/web`, { node: `node-${id}` });
    const path = `${podsOf(namespace)}?watch=1&resourceVersion=${await now(podsOf(namespace))}`;
    using opened = await watch(path, METADATA_ONLY);
    await pod.delete({ gracePeriodSeconds: 30 });
    await pod.delete({ gracePeriodSeconds: 40 });
    await pod.delete({ gracePeriodSeconds: 20 });
    await pod.delete();
    const at = (seconds: number): object => ({
      generation: 2,
      deletionTimestamp: '<time>',
      deletionGracePeriodSeconds: seconds,
    });

    expect(comparable(await upToNow(opened, namespace))).toEqual([
      metadataEvent('MODIFIED', 'web', at(30)),
      metadataEvent('MODIFIED', 'web', at(20)),
      metadataEvent('MODIFIED', 'web', at(0)),
      metadataEvent('DELETED', 'web', at(0)),
    ]);
  });

  test('of a Pod that a finalizer holds: terminating, until the finalizer goes, which nobody sees', async () => {
    const namespace = await shop();
    const pod = await cluster.client.createPod(`${namespace}/web`, { finalizers: HOLD });
    const path = `${podsOf(namespace)}?watch=1&resourceVersion=${await now(podsOf(namespace))}`;
    using opened = await watch(path, METADATA_ONLY);
    await pod.delete();
    await pod.delete();
    await pod.setFinalizers([]);

    expect(comparable(await upToNow(opened, namespace))).toEqual([
      metadataEvent('MODIFIED', 'web', { generation: 2, ...terminating, finalizers: HOLD }),
      metadataEvent('DELETED', 'web', { generation: 2, ...terminating, finalizers: HOLD }),
    ]);
  });

  test('of a ServiceAccount: gone at once, unless a finalizer holds it', async () => {
    const namespace = await shop();
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts`;
    using opened = await watch(`${path}?watch=1&resourceVersion=${await now(path)}`);
    const robot = await cluster.client.createServiceAccount(`${namespace}/robot`);
    await robot.delete();
    const held = await cluster.client.createServiceAccount(`${namespace}/held`, { finalizers: HOLD });
    await held.delete();
    await held.setFinalizers([]);
    await opened.find(({ type, object }) => type === 'DELETED' && object.metadata.name === 'held');

    const event = (type: string, name: string, more = {}): object => ({
      type,
      object: { kind: 'ServiceAccount', apiVersion: 'v1', metadata: { name, ...common, ...more } },
    });
    // Where controllers run there is one named `default` too.
    expect(comparable(opened.events.filter(({ object }) => object.metadata.name !== 'default'))).toEqual([
      event('ADDED', 'robot'),
      event('DELETED', 'robot'),
      event('ADDED', 'held', { finalizers: HOLD }),
      event('MODIFIED', 'held', { finalizers: HOLD, ...terminating }),
      event('DELETED', 'held', { finalizers: HOLD, ...terminating }),
    ]);
  });

  test('of a whole collection: each of them', async () => {
    const namespace = await shop();
    for (const name of ['a', 'b', 'c']) await cluster.client.createPod(`${namespace}/${name}`);
    using opened = await watch(`${podsOf(namespace)}?watch=1&resourceVersion=${await now(podsOf(namespace))}`);
    await cluster.client.request('DELETE', podsOf(namespace));
    const events = await upToNow(opened, namespace);

    expect(
      named(events)
        .filter((event) => event.startsWith('DELETED'))
        .toSorted(),
    ).toEqual(['DELETED a', 'DELETED b', 'DELETED c']);
  });

  test('and a new object of the same name: another uid', async () => {
    const namespace = await shop();
    const old = await cluster.client.createPod(`${namespace}/web`);
    using opened = await watch(`${podsOf(namespace)}?watch=1&resourceVersion=${await now(podsOf(namespace))}`);
    await old.delete();
    const young = await cluster.client.createPod(`${namespace}/web`);
    const events = await upToNow(opened, namespace);

    expect(events.map(({ type, object }) => [type, object.metadata['uid']])).toEqual([
      ['MODIFIED', old.uid],
      ['DELETED', old.uid],
      ['ADDED', young.uid],
    ]);
  });
});

describe('What RBAC decides by', () => {
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' };

  test.each([
    ['Role', { rules: [] }],
    ['ClusterRole', { rules: [] }],
    ['RoleBinding', { roleRef }],
    ['ClusterRoleBinding', { roleRef }],
  ])('is watched as all else is: %s', async (kind, content) => {
    const namespace = await shop();
    const all = `/apis/rbac.authorization.k8s.io/v1/${kind.toLowerCase()}s`;
    const collection = kind.startsWith('Cluster') ? all : all.replace('/v1/', `/v1/namespaces/${namespace}/`);
    using opened = await watch(`${all}?watch=1&resourceVersion=${await now(all)}`, METADATA_ONLY);
    const name = `changing-${id}`;
    const { status } = await cluster.client.request('POST', collection, { kind, metadata: { name }, ...content });
    expect(status).toBe(201);
    await patch(`${collection}/${name}`, { labels: { app: 'web' } });
    expect((await cluster.client.request('DELETE', `${collection}/${name}`)).status).toBe(200);
    await opened.find(({ type, object }) => type === 'DELETED' && object.metadata.name === name);

    const events = opened.events.filter(({ object }) => object.metadata.name === name);
    expect(versionsOf(events)).toEqual([...new Set(versionsOf(events))].toSorted((one, other) => one - other));
    const { namespace: _, ...clusterWide } = common;
    const metadata = { name: 'changing', ...(collection === all ? clusterWide : common) };
    const event = (type: string, more: object): object => ({
      type,
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { ...metadata, ...more } },
    });
    const labels = { app: 'web' };
    expect(comparable(events)).toEqual([
      event('ADDED', {}),
      event('MODIFIED', { labels }),
      event('DELETED', { labels }),
    ]);
  });
});

describe('Selectors', () => {
  test('an object that is selected no longer is shown as deleted, as it was, at the version of the change', async () => {
    const namespace = await shop();
    const version = await now(podsOf(namespace));
    using selected = await watch(`${podsOf(namespace)}?watch=1&labelSelector=app%3Dweb&resourceVersion=${version}`);
    const pod = await cluster.client.createPod(`${namespace}/web`, { labels: { app: 'web' } });
    await patch(pod.path, { labels: { app: 'db' } });
    const changedAt = await versionOf(pod);
    await patch(pod.path, { labels: { app: 'db', more: 'x' } });
    await patch(pod.path, { labels: { app: 'web' } });
    await patch(pod.path, { labels: { more: 'y' } });
    const events = await upToNow(selected, namespace);

    expect(events.map(({ type, object }) => [type, object.metadata['labels']])).toEqual([
      ['ADDED', { app: 'web' }],
      ['DELETED', { app: 'web' }],
      ['ADDED', { app: 'web', more: 'x' }],
      ['MODIFIED', { app: 'web', more: 'y' }],
    ]);
    expect(events[1]?.object.metadata.resourceVersion).toBe(changedAt);
  });

  test('fields select too', async () => {
    const namespace = await shop();
    const version = await now(podsOf(namespace));
    const path = `${podsOf(namespace)}?watch=1&resourceVersion=${version}&fieldSelector=`;
    using byName = await watch(`${path}metadata.name%3Db`);
    using byNode = await watch(`${path}spec.nodeName%3Dnode-${id}`);
    using byNoNode = await watch(`${path}spec.nodeName%3D,metadata.name!%3Da`);
    for (const name of ['a', 'b']) await cluster.client.createPod(`${namespace}/${name}`);
    await cluster.client.createPod(`${namespace}/c`, { node: `node-${id}` });
    await upToNow(byNoNode, namespace);

    expect(named(byNoNode.events)[0]).toBe('ADDED b');
    await byNode.find(({ object }) => object.metadata.name === 'c');
    await byName.find(({ object }) => object.metadata.name === 'b');
    expect(named(byNode.events)).toEqual(['ADDED c']);
    expect(named(byName.events)).toEqual(['ADDED b']);
  });
});

describe('Time', () => {
  test('a watch ends properly after timeoutSeconds, without a word', async () => {
    const namespace = await shop();
    using opened = await watch(
      `${podsOf(namespace)}?watch=1&timeoutSeconds=1&allowWatchBookmarks=true&resourceVersion=${await now(podsOf(namespace))}`,
    );
    await cluster.elapse(1_100);
    expect(await opened.ended).toBe('end');
    expect(opened.events).toEqual([]);
  });

  test('bookmarks say how far a watch has come, about 2 s before it ends', async () => {
    const namespace = await shop();
    const pods = podsOf(namespace);
    const query = `watch=1&timeoutSeconds=8&resourceVersion=${await now(pods)}`;
    using plain = await watch(`${pods}?${query}&allowWatchBookmarks=true`);
    using metadataOnly = await watch(`${pods}?${query}&allowWatchBookmarks=true`, METADATA_ONLY);
    using without = await watch(`${pods}?${query}`);
    // What happens elsewhere brings a watch forward as well.
    const elsewhere = await cluster.client.createPod(`${await shop()}/web`);
    const version = await versionOf(elsewhere);
    await cluster.elapse(8_100);

    expect(await Promise.all([plain.ended, metadataOnly.ended, without.ended])).toEqual(['end', 'end', 'end']);
    expect(without.events).toEqual([]);
    const metadata = {
      resourceVersion: '<version>',
      ...(cluster.version === '1.33' && { creationTimestamp: null }),
    };
    // Real ones come once or twice.
    expect(comparable(plain.events.at(-1))).toEqual({
      type: 'BOOKMARK',
      object: {
        kind: 'Pod',
        apiVersion: 'v1',
        metadata,
        spec: { containers: null },
        status: {},
      },
    });
    expect(comparable(metadataOnly.events.at(-1))).toEqual({
      type: 'BOOKMARK',
      object: {
        kind: 'PartialObjectMetadata',
        apiVersion: 'meta.k8s.io/v1',
        metadata,
      },
    });
    expect(versionsOf(plain.events).at(-1)).toBeGreaterThanOrEqual(Number(version));
    using resumed = await watch(`${pods}?watch=1&resourceVersion=${versionsOf(plain.events).at(-1)}`);
    expect(named(await upToNow(resumed, namespace))).toEqual([]);
  });

  test('a watch from the future says nothing, whatever happens, and not even a bookmark', async () => {
    const namespace = await shop();
    const pods = podsOf(namespace);
    const future = Number(await now(pods)) + 1_000_000;
    const query = `watch=1&timeoutSeconds=4&allowWatchBookmarks=true&resourceVersion=${future}`;
    using opened = await watch(`${pods}?${query}`);
    await cluster.client.createPod(`${namespace}/web`);
    await cluster.elapse(4_100);

    expect(opened.status).toBe(200);
    expect(await opened.ended).toBe('end');
    expect(opened.events).toEqual([]);
  });
});

describeOwn('A cluster of its own', () => {
  let own: OwnCluster;
  beforeAll(async () => {
    own = await startOwnCluster();
  });
  afterAll(async () => {
    await own[Symbol.asyncDispose]();
  });

  test('an API server that learns of nothing any more vouches for a deleted Pod, and its watches are silent', async () => {
    const { client } = own;
    const replica = await own.addReplica();
    const pods = podsOf('shop');
    const pod = await client.createPod('shop/web');
    const token = await pod.token();
    const version = await now(pods, client);
    using here = await openWatch(client.kubeConfig, `${pods}?watch=1&resourceVersion=${version}`);
    using there = await openWatch(replica.client.kubeConfig, `${pods}?watch=1&resourceVersion=${version}`);
    const marker = await client.createPod('shop/marker');
    await there.find(({ object }) => object.metadata['uid'] === marker.uid);
    const isAuthenticated = async (by: ClusterClient): Promise<unknown> => {
      const path = '/apis/authentication.k8s.io/v1/tokenreviews';
      const { body } = await by.request('POST', path, { spec: { token } });
      return (body as { status: { authenticated?: boolean } }).status.authenticated;
    };

    replica.hold();
    await pod.delete();
    await here.find(({ type }) => type === 'DELETED');
    expect(named(there.events)).toEqual(['ADDED marker']);
    const stale = await list(`${pods}?resourceVersion=0`, replica.client);
    expect(stale.items).toMatchObject([{ metadata: { name: 'marker' } }, { metadata: { name: 'web' } }]);
    expect([await isAuthenticated(client), await isAuthenticated(replica.client)]).toEqual([undefined, true]);

    replica.release();
    await there.find(({ type }) => type === 'DELETED');
    expect(named(there.events)).toEqual(['ADDED marker', 'MODIFIED web', 'DELETED web']);
    expect(comparable(there.events)).toEqual(comparable(here.events));
    expect(await isAuthenticated(replica.client)).toBe(true);
    await own.elapse(10_500);
    expect(await isAuthenticated(replica.client)).toBeUndefined();
  });

  test('a watch that goes on after a restart of the API server is told 410 though no Pod has changed, and so is a list once etcd has forgotten', async () => {
    const { client } = own;
    for (const name of ['a', 'b', 'c']) await client.createPod(`attic/${name}`);
    const pods = podsOf('attic');
    const { metadata } = await list(`${pods}?limit=1`, client);
    const old = metadata.resourceVersion;
    // Every object counts: the Pods' version moves on though no Pod has changed.
    await client.createServiceAccount('attic/robot');
    await own.restart();

    using tooOld = await openWatch(client.kubeConfig, `${pods}?watch=1&resourceVersion=${old}`);
    expect(tooOld.status).toBe(200);
    expect(await tooOld.ended).toBe('end');
    expect(tooOld.events).toEqual([
      {
        type: 'ERROR',
        object: {
          kind: 'Status',
          apiVersion: 'v1',
          metadata: {},
          status: 'Failure',
          message: expect.stringMatching(new RegExp(`^too old resource version: ${old} \\(\\d+\\)$`)),
          reason: 'Expired',
          code: 410,
        },
      },
    ]);
    // What is in etcd still is not too old for a list.
    expect((await list(`${pods}?limit=1&continue=${metadata.continue}`, client)).items).toMatchObject([
      { metadata: { name: 'b' } },
    ]);
    using anew = await openWatch(client.kubeConfig, `${pods}?watch=1&resourceVersion=${await now(pods, client)}`);
    await client.createPod('attic/d');
    await anew.find(({ object }) => object.metadata.name === 'd');
    expect(named(anew.events)).toEqual(['ADDED d']);

    await own.compact();
    await own.restart();
    const answer = async (query: string): Promise<unknown> => {
      const { status, body } = await client.request('GET', `${pods}?limit=1&${query}`);
      return { status, body: comparable(body) };
    };
    const goOn = await client.request('GET', `${pods}?limit=1&continue=${metadata.continue}`);
    expect([
      await answer(`continue=${metadata.continue}`),
      await answer(`resourceVersion=${old}`),
      await answer(`resourceVersion=${old}&resourceVersionMatch=Exact`),
    ]).toMatchSnapshot();
    const { metadata: offered } = goOn.body as { metadata: { continue?: string } };
    expect((await list(`${pods}?continue=${offered.continue}`, client)).items.length).toBe(3);
  });
});

describe('Who may watch', () => {
  test('who may list may not watch, and the other way round', async () => {
    const namespace = await shop();
    const robot = await cluster.client.createServiceAccount(`${namespace}/robot`);
    const token = await robot.token();
    const rule = { group: '', resource: 'pods', namespace };
    const ask = async (query: string, asWhom: string | null = token): Promise<unknown> => {
      const { status, body } = await cluster.client.request('GET', `${podsOf(namespace)}${query}`, undefined, {
        token: asWhom,
      });
      return { status, message: comparable((body as { message?: string }).message ?? '') };
    };
    const refusal = (verb: string): object => ({
      status: 403,
      message: `pods is forbidden: User "system:serviceaccount:shop:robot" cannot ${verb} resource "pods" in API group "" in the namespace "shop"`,
    });
    await cluster.client.allow(`${namespace}/robot`, { verb: 'list', ...rule });
    expect(await ask('?limit=1')).toMatchObject({ status: 200 });
    expect(await ask('?watch=1')).toEqual(refusal('watch'));
    expect(await ask('?watch')).toEqual(refusal('watch'));
    expect(await ask('?watch=false')).toMatchObject({ status: 200 });
    expect(await ask('?watch=1', null)).toMatchObject({
      status: 403,
      message: expect.stringContaining('User "system:anonymous" cannot watch'),
    });
    expect(await ask('?watch=1', 'nonsense')).toEqual({ status: 401, message: 'Unauthorized' });
    await cluster.client.allow(`${namespace}/robot`, { verb: 'watch', ...rule });
    using opened = await openWatch(
      cluster.client.kubeConfigOf(token),
      `${podsOf(namespace)}?watch=1&resourceVersion=${await now(podsOf(namespace))}`,
    );
    expect(opened.status).toBe(200);
    await cluster.client.createPod(`${namespace}/web`);
    await opened.find(({ object }) => object.metadata.name === 'web');
  });
});
