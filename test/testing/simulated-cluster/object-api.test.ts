import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type SimulatedCluster,
  startSimulatedCluster,
} from '../../../src/testing/simulated-cluster/simulated-cluster.ts';

let cluster: SimulatedCluster;
beforeAll(async () => {
  cluster = await startSimulatedCluster();
  await cluster.createNamespace('shop');
});
afterAll(() => cluster.close());

const PODS = '/api/v1/namespaces/shop/pods';
const spec = { containers: [{ name: 'main', image: 'main' }] };

describe('creating', () => {
  test.each([
    [{ metadata: {} }, 'Pod "" is invalid: metadata.name: Required value: name or generateName is required'],
    [
      { metadata: { name: 'UPPER' } },
      'Pod "UPPER" is invalid: metadata.name: Invalid value: "UPPER": a lowercase RFC 1123',
    ],
    [{ metadata: { name: 'empty' }, spec: {} }, 'Pod "empty" is invalid: spec.containers: Required value'],
    [{ spec: {} }, 'Pod "" is invalid: [metadata.name: Required value: name or generateName is required, spec.contain'],
  ])('%j is 422', async (pod, message) => {
    const { status, body } = await cluster.request('POST', PODS, { spec, ...pod });
    expect(status).toBe(422);
    expect(body).toMatchObject({ reason: 'Invalid', message: expect.stringContaining(message) });
  });

  test('a name that is taken is 409', async () => {
    await cluster.createPod('shop/taken');
    const { status, body } = await cluster.request('POST', PODS, { metadata: { name: 'taken' }, spec });
    expect(status).toBe(409);
    expect(body).toMatchObject({
      reason: 'AlreadyExists',
      message: 'pods "taken" already exists',
      details: { name: 'taken', kind: 'pods' },
    });
  });

  test('in a namespace that is missing is 404', async () => {
    const path = '/api/v1/namespaces/missing/secrets';
    const { status, body } = await cluster.request('POST', path, { metadata: { name: 's' } });
    expect(status).toBe(404);
    expect(body).toMatchObject({ message: 'namespaces "missing" not found' });
  });

  test('with the ServiceAccount missing is 403', async () => {
    const pod = { metadata: { name: 'p' }, spec: { ...spec, serviceAccountName: 'nobody' } };
    const { status, body } = await cluster.request('POST', PODS, pod);
    expect(status).toBe(403);
    expect(body).toMatchObject({
      message: 'pods "p" is forbidden: error looking up service account shop/nobody: serviceaccount "nobody" not found',
    });
  });

  test.each([
    [
      { kind: 'Node' },
      'Node in version "v1" cannot be handled as a Pod: converting (v1.Node) to (core.Pod): unknown conversion',
    ],
    [{ apiVersion: 'v2' }, 'no kind "Pod" is registered for version "v2"'],
    [{ metadata: { name: 'p', namespace: 'other' } }, 'the namespace of the provided object does not match'],
  ])('%j is 400', async (pod, message) => {
    const { status, body } = await cluster.request('POST', PODS, { metadata: { name: 'p' }, spec, ...pod });
    expect(status).toBe(400);
    expect(body).toMatchObject({ message: expect.stringContaining(message) });
  });

  test('a generated name starts as asked', async () => {
    const { body } = await cluster.request('POST', PODS, { metadata: { generateName: 'web-' }, spec });
    expect(body).toMatchObject({ metadata: { name: expect.stringMatching(/^web-[0-9a-z]{5}$/) } });
  });

  test('the server sets the uid, times and status, whatever was sent', async () => {
    const metadata = { name: 'forged', uid: 'mine', creationTimestamp: 'then', deletionTimestamp: 'now' };
    const { body } = await cluster.request('POST', PODS, { metadata, spec, status: { phase: 'Running' } });
    expect(body).toMatchObject({
      metadata: { uid: expect.stringMatching(/^[0-9a-f-]{36}$/), creationTimestamp: expect.stringMatching(/Z$/) },
      spec: { serviceAccountName: 'default', terminationGracePeriodSeconds: 30 },
      status: { phase: 'Pending' },
    });
    expect(body).not.toHaveProperty('metadata.deletionTimestamp');
  });

  test.each([
    [
      { data: { key: 'not base64!' } },
      400,
      'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 3',
    ],
    [
      { metadata: { name: 's', finalizers: ['hold'] } },
      422,
      'metadata.finalizers[0]: Invalid value: "hold": name is neither a standard finalizer name nor is it fully qualified',
    ],
  ])('a Secret with %j is %i', async (secret, code, message) => {
    const path = '/api/v1/namespaces/shop/secrets';
    const { status, body } = await cluster.request('POST', path, { metadata: { name: 's' }, ...secret });
    expect(status).toBe(code);
    expect(body).toMatchObject({ message: expect.stringContaining(message) });
  });

  test('a namespace has no dots in its name, and its name as a label', async () => {
    await expect(cluster.createNamespace('a.b')).rejects.toThrow(
      'metadata.name: Invalid value: "a.b": must not contain dots',
    );
    const namespace = await cluster.createNamespace('labelled');
    expect((await namespace.get())?.metadata.labels).toEqual({ 'kubernetes.io/metadata.name': 'labelled' });
  });

  test('a token Secret names its ServiceAccount', async () => {
    const secret = { metadata: { name: 'unowned' }, type: 'kubernetes.io/service-account-token' };
    const { status } = await cluster.request('POST', '/api/v1/namespaces/shop/secrets', secret);
    expect(status).toBe(422);
  });
});

describe('a list', () => {
  const secrets = '/api/v1/namespaces/pages/secrets';
  interface List {
    readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
    readonly items: readonly { readonly metadata: { readonly name: string } }[];
  }
  const list = async (query: string): Promise<List & { names: string[] }> => {
    const { status, body } = await cluster.request('GET', `${secrets}?${query}`);
    expect(status).toBe(200);
    const { metadata, items } = body as List;
    return { metadata, items, names: items.map((item) => item.metadata.name) };
  };
  beforeAll(async () => {
    for (const name of ['a', 'b', 'c']) await cluster.createSecret(`pages/${name}`);
  });

  test('comes in pages, all of the same moment', async () => {
    const first = await list('limit=2');
    expect(first).toMatchObject({ names: ['a', 'b'], metadata: { remainingItemCount: 1 } });
    const late = await cluster.createSecret('pages/late');
    const second = await list(`limit=2&continue=${first.metadata.continue}`);
    expect(second.names).toEqual(['c']);
    expect(second.metadata).toEqual({ resourceVersion: first.metadata.resourceVersion });
    await late.delete();
  });

  test('of all namespaces too', async () => {
    const { body } = await cluster.request('GET', '/api/v1/secrets?limit=1&labelSelector=!x');
    const { metadata } = body as List;
    expect(metadata).not.toHaveProperty('remainingItemCount');
    const { body: rest } = await cluster.request('GET', `/api/v1/secrets?continue=${metadata.continue}`);
    expect((rest as List).items.length).toBeGreaterThanOrEqual(2);
  });

  test('shows an earlier moment, a limit or not', async () => {
    const { metadata } = await list('limit=1');
    const late = await cluster.createSecret('pages/late');
    const at = `resourceVersion=${metadata.resourceVersion}`;
    expect((await list(`${at}&resourceVersionMatch=Exact`)).names).toEqual(['a', 'b', 'c']);
    expect((await list(`${at}&limit=5`)).names).toEqual(['a', 'b', 'c']);
    expect((await list(`${at}&limit=5&resourceVersionMatch=NotOlderThan`)).names).toEqual(['a', 'b', 'c', 'late']);
    expect((await list('resourceVersion=0&limit=1')).names).toEqual(['a', 'b', 'c', 'late']);
    await late.delete();
  });

  test('is 504 for a moment that has not come, and 410 for one that is forgotten', async () => {
    const { metadata } = await list('limit=1');
    expect((await cluster.request('GET', `${secrets}?resourceVersion=99999999`)).body).toMatchObject({
      code: 504,
      message: expect.stringMatching(/^Timeout: Too large resource version: 99999999, current: \d+$/),
    });
    const late = await cluster.createSecret('pages/late');
    await late.delete();
    cluster.expireWatches();
    const old = await cluster.request('GET', `${secrets}?limit=1&resourceVersion=${metadata.resourceVersion}`);
    expect(old.body).toMatchObject({ code: 410, reason: 'Expired' });
    const page = await cluster.request('GET', `${secrets}?continue=${metadata.continue}`);
    expect(page.body).toMatchObject({ code: 410, metadata: { continue: expect.any(String) } });
    const { metadata: offered } = page.body as List;
    expect((await list(`continue=${offered.continue}`)).names).toEqual(['b', 'c']);
  });
});

test('lists hold a namespace or all of them, and the resourceVersion of the latest change', async () => {
  await cluster.createPod('left/a');
  await cluster.createPod('lefthand/b');
  const names = async (path: string): Promise<string[]> => {
    const { body } = await cluster.request('GET', path);
    return (body as { items: { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name);
  };
  expect(await names('/api/v1/namespaces/left/pods')).toEqual(['a']);
  expect(await names('/api/v1/pods')).toEqual(expect.arrayContaining(['a', 'b']));
  expect(await names('/api/v1/namespaces/missing/pods')).toEqual([]);
  expect(await names('/api/v1/namespaces')).toEqual(expect.arrayContaining(['default', 'kube-system', 'left']));

  const pod = await (await cluster.createPod('left/latest')).get();
  const { body } = await cluster.request('GET', '/api/v1/pods');
  expect(body).toMatchObject({
    kind: 'PodList',
    apiVersion: 'v1',
    metadata: { resourceVersion: pod?.metadata.resourceVersion },
  });
});

describe('a list in parts', () => {
  // Of all namespaces, with nothing in them but what is listed.
  let bare: SimulatedCluster;
  beforeAll(async () => {
    bare = await startSimulatedCluster();
  });
  afterAll(() => bare.close());

  interface Page {
    readonly metadata: {
      readonly continue?: string;
      readonly remainingItemCount?: number;
      readonly resourceVersion: string;
    };
    readonly items: readonly { readonly metadata: { readonly name: string } }[];
  }
  const page = async (query: string): Promise<Page & { readonly status: number }> => {
    const { status, body } = await bare.request('GET', `/api/v1/secrets?${query}`);
    return { ...(body as Page), status };
  };
  const namesOf = ({ items }: Page): readonly string[] => items.map(({ metadata }) => metadata.name);

  test('goes on where it ended, as everything was when it began', async () => {
    const secrets = [];
    for (const ref of ['part-1/a', 'part-2/b', 'part-3/c']) secrets.push(await bare.createSecret(ref));
    const first = await page('limit=2');
    expect(namesOf(first)).toEqual(['a', 'b']);
    expect(first.metadata.remainingItemCount).toBe(1);
    await secrets[2]?.delete();
    const second = await page(`limit=2&continue=${first.metadata.continue}`);
    expect(namesOf(second)).toEqual(['c']);
    expect(second.metadata).toEqual({ resourceVersion: first.metadata.resourceVersion });
    expect(namesOf(await page('limit=1&resourceVersion=0'))).toEqual(['a', 'b']);

    bare.expireWatches();
    const late = await page(`continue=${first.metadata.continue}`);
    expect(late.status).toBe(410);
    expect(namesOf(await page(`continue=${late.metadata.continue}`))).toEqual([]);
  });

  test('is not to be had of what is forgotten, or not yet reached', async () => {
    const { resourceVersion } = (await page('limit=1')).metadata;
    const exact = `resourceVersionMatch=Exact&resourceVersion=`;
    expect((await page(`${exact}${resourceVersion}`)).status).toBe(200);
    await bare.createSecret('part-1/later');
    bare.expireWatches();
    expect((await page(`${exact}${resourceVersion}`)).status).toBe(410);
    expect((await page('resourceVersion=999999')).status).toBe(504);
  });
});

describe('deleting', () => {
  test('a Pod on a Node: it is terminating, can be hurried, and goes when forced', async () => {
    const pod = await cluster.createPod('shop/graceful', { node: 'node-a' });
    const start = cluster.clock.now();
    const inSeconds = async (): Promise<number> => {
      const { metadata } = (await pod.get()) ?? {};
      return Math.round((Date.parse(metadata?.deletionTimestamp ?? '') - start) / 1000);
    };
    await cluster.request('DELETE', pod.path);
    expect(await inSeconds()).toBeGreaterThanOrEqual(29);
    await pod.delete({ gracePeriodSeconds: 60 });
    expect(await inSeconds()).toBeLessThanOrEqual(30);
    await cluster.request('DELETE', `${pod.path}?gracePeriodSeconds=5`);
    expect(await inSeconds()).toBeLessThanOrEqual(5);
    expect((await pod.get())?.metadata.deletionGracePeriodSeconds).toBe(5);
    await pod.delete();
    expect(await pod.get()).toBeUndefined();
  });

  test('a negative grace period is one second', async () => {
    const pod = await cluster.createPod('shop/negative', { node: 'node-a' });
    await pod.delete({ gracePeriodSeconds: -5 });
    expect((await pod.get())?.metadata.deletionGracePeriodSeconds).toBe(1);
  });

  test('a Pod without a Node, or one that is over, goes at once', async () => {
    const pod = await cluster.createPod('shop/unscheduled');
    await pod.delete({ gracePeriodSeconds: 30 });
    expect(await pod.get()).toBeUndefined();

    const over = await cluster.createPod('shop/over', { node: 'node-a' });
    await cluster.request('PUT', `${over.path}/status`, { ...(await over.get()), status: { phase: 'Succeeded' } });
    await over.delete({ gracePeriodSeconds: 30 });
    expect(await over.get()).toBeUndefined();
  });

  test('a finalizer holds an object until it is taken away', async () => {
    const held = await cluster.createServiceAccount('shop/held', { finalizers: ['example.com/hold'] });
    await held.delete();
    await held.delete();
    expect((await held.get())?.metadata).toMatchObject({ deletionGracePeriodSeconds: 0 });
    await held.setFinalizers([]);
    expect(await held.get()).toBeUndefined();
  });

  test('another uid than the object has is a conflict', async () => {
    const pod = await cluster.createPod('shop/precondition');
    const { status, body } = await cluster.request('DELETE', pod.path, { preconditions: { uid: 'x' } });
    expect(status).toBe(409);
    expect(body).toMatchObject({ message: expect.stringContaining('the UID in the precondition (x) does not match') });
  });

  test('answers with the object or a Status, by kind', async () => {
    const account = await cluster.createServiceAccount('shop/answered');
    const secret = await cluster.createSecret('shop/answered');
    expect((await cluster.request('DELETE', account.path)).body).toMatchObject({ kind: 'ServiceAccount' });
    expect((await cluster.request('DELETE', secret.path)).body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name: 'answered', kind: 'secrets', uid: secret.uid },
    });
  });

  test('uids are never used again', async () => {
    const first = await cluster.createPod('shop/phoenix');
    await first.delete();
    expect((await cluster.createPod('shop/phoenix')).uid).not.toBe(first.uid);
    expect(await first.get()).toBeUndefined();
  });

  test('a whole collection, gracefully or not', async () => {
    await cluster.createPod('crowd/a', { node: 'node-a' });
    await cluster.createPod('crowd/b', { node: 'node-a' });
    const path = '/api/v1/namespaces/crowd/pods';
    const graceful = await cluster.request('DELETE', path);
    expect(graceful.body).toMatchObject({
      kind: 'PodList',
      items: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }],
    });
    expect((await cluster.request('GET', path)).body).toMatchObject({
      items: [{ metadata: { deletionGracePeriodSeconds: 30 } }, { metadata: { deletionGracePeriodSeconds: 30 } }],
    });
    await cluster.request('DELETE', path, { gracePeriodSeconds: 0 });
    expect((await cluster.request('GET', path)).body).toMatchObject({ items: [] });
  });

  test('a Pod that asks for no grace, or is alone, goes at once', async () => {
    const metadata = { name: 'graceless' };
    const pod = { metadata, spec: { ...spec, nodeName: 'node-a', terminationGracePeriodSeconds: 0 } };
    await cluster.request('POST', PODS, pod);
    expect((await cluster.request('DELETE', `${PODS}/graceless`)).body).toMatchObject({ metadata });
    expect((await cluster.request('GET', `${PODS}/graceless`)).status).toBe(404);
  });

  test('the system namespaces stay', async () => {
    const { status, body } = await cluster.request('DELETE', '/api/v1/namespaces/kube-system');
    expect(status).toBe(403);
    expect(body).toMatchObject({ message: 'namespaces "kube-system" is forbidden: this namespace may not be deleted' });
  });
});

describe('changing', () => {
  const merge = { headers: { 'content-type': 'application/merge-patch+json' } };

  test('a merge patch sets, removes and leaves the rest', async () => {
    const pod = await cluster.createPod('shop/patched', { labels: { a: '1', b: '2' } });
    const patch = { metadata: { labels: { a: null, c: '3' }, finalizers: ['example.com/hold'] } };
    const { status, body } = await cluster.request('PATCH', pod.path, patch, merge);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      metadata: { uid: pod.uid, finalizers: ['example.com/hold'] },
      status: { phase: 'Pending' },
    });
    expect((await pod.get())?.metadata.labels).toEqual({ b: '2', c: '3' });
  });

  test('other kinds of patches are 415', async () => {
    const pod = await cluster.createPod('shop/json-patched');
    const headers = { 'content-type': 'application/json-patch+json' };
    expect((await cluster.request('PATCH', pod.path, [], { headers })).status).toBe(415);
  });

  test('a PUT of another uid or without a name is refused', async () => {
    const node = await cluster.createNode('node-b');
    const put = (metadata: object): Promise<unknown> => cluster.request('PUT', node.path, { metadata });
    expect(await put({ name: 'node-b', uid: 'other' })).toMatchObject({
      status: 409,
      body: {
        message: `Operation cannot be fulfilled on nodes "node-b": StorageError: invalid object, Code: 4, Key: /registry/minions/node-b, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: other, UID in object meta: ${node.uid}`,
      },
    });
    expect(await put({})).toMatchObject({
      status: 400,
      body: { message: 'the name of the object (node-b based on URL) was undeterminable: name must be provided' },
    });
  });

  test('a PUT of another uid names the place of an object in a namespace, too', async () => {
    const pod = await cluster.createPod('shop/placed');
    const { body } = await cluster.request('PUT', pod.path, {
      ...(await pod.get()),
      metadata: { name: 'placed', uid: 'x' },
    });
    expect(body).toMatchObject({ message: expect.stringContaining('Key: /registry/pods/shop/placed, ') });
    expect((await cluster.request('PUT', pod.path, {})).status).toBe(400);
  });

  test('a PUT of the status takes the metadata along, and neither the specification nor what the server found out', async () => {
    const pod = await cluster.createPod('shop/told', { node: 'node-a', labels: { a: 'b' } });
    const { body } = await cluster.request('PUT', `${pod.path}/status`, {
      metadata: { name: 'told', labels: { c: 'd' } },
      spec: { nodeName: 'elsewhere' },
      status: { phase: 'Running', qosClass: 'Guaranteed' },
    });
    expect(body).toMatchObject({ spec: { nodeName: 'node-a' }, status: { phase: 'Running', qosClass: 'BestEffort' } });
    expect((await pod.get())?.metadata.labels).toEqual({ c: 'd' });

    const node = await cluster.createNode('node-told');
    const status = { conditions: [{ type: 'Ready', status: 'True' }] };
    await cluster.request('PUT', `${node.path}/status`, { metadata: { name: 'node-told' }, status });
    expect(await node.get()).toMatchObject({ status: { ...status, nodeInfo: { kubeletVersion: '' } } });
  });

  test('another specification is another generation, other labels are not', async () => {
    const pod = await cluster.createPod('shop/generations');
    const generation = async (patch: object): Promise<unknown> => {
      const { body } = await cluster.request('PATCH', pod.path, patch, merge);
      return (body as { metadata: { generation: unknown } }).metadata.generation;
    };
    expect(await generation({ metadata: { labels: { a: 'b' } } })).toBe(1);
    expect(await generation({ spec: { activeDeadlineSeconds: 60 } })).toBe(2);
  });

  test('whoever takes the last finalizer away gets the object as it was last stored', async () => {
    const held = await cluster.createServiceAccount('shop/let-go', { finalizers: ['example.com/hold'] });
    await held.delete();
    const before = await held.get();
    const { body } = await cluster.request('PATCH', held.path, { metadata: { finalizers: null } }, merge);
    expect(body).toMatchObject({ metadata: { resourceVersion: before?.metadata.resourceVersion } });
    expect(body).not.toHaveProperty('metadata.finalizers');
  });

  test('a terminating object takes no new finalizers', async () => {
    const held = await cluster.createPod('shop/closing', { finalizers: ['example.com/hold'] });
    await held.delete();
    await expect(held.setFinalizers(['example.com/hold', 'example.com/more'])).rejects.toThrow(
      '422 Pod "closing" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/more"}',
    );
  });

  test('raises the resourceVersion and refuses an outdated one', async () => {
    const pod = await cluster.createPod('shop/versioned');
    const before = await pod.get();
    await pod.setFinalizers(['example.com/hold']);
    const after = await pod.get();
    expect(Number(after?.metadata.resourceVersion)).toBeGreaterThan(Number(before?.metadata.resourceVersion));

    const { status, body } = await cluster.request('PUT', pod.path, before);
    expect(status).toBe(409);
    expect(body).toMatchObject({ message: expect.stringContaining('the object has been modified') });
  });

  test.each([
    [{ metadata: { name: 'other' } }, 400, 'the name of the object (other) does not match the name on the URL'],
    [
      { metadata: { uid: 'other' } },
      422,
      'Pod "steady" is invalid: metadata.uid: Invalid value: "other": field is immutable',
    ],
  ])('%j is refused', async (patch, code, message) => {
    await cluster.request('POST', PODS, { metadata: { name: 'steady' }, spec });
    const { status, body } = await cluster.request('PATCH', `${PODS}/steady`, patch, merge);
    expect(status).toBe(code);
    expect(body).toMatchObject({ message: expect.stringContaining(message) });
  });
});
