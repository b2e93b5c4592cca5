import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { openWatch } from '../../support/open-watch.ts';
import { startTestCluster, type TestCluster } from '../conformance/test-cluster.ts';

const id = randomBytes(4).toString('hex');
const namespace = `shop-${id}`;
const pods = `/api/v1/namespaces/${namespace}/pods`;
const LONG = 'x'.repeat(64);
/** What is said of selectors that Kubernetes 1.33 refuses in other words: no snapshot, which would be obsolete there. */
const REWORDED: ReadonlyMap<string, string> = new Map([
  [`app=${LONG}`, `values[0][app]: Invalid value: "${LONG}": must be no more than 63 bytes`],
  [LONG, `<nil>: Invalid value: "${LONG}": name part must be no more than 63 bytes`],
  [
    'a/b/c',
    `<nil>: Invalid value: "a/b/c": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
  ],
]);

let cluster: TestCluster;
/** Of the last of three Pods: `web-1` and `web-2` with the label `app=web`, `db` with `app=db` and `size=5`. */
let version: string;

beforeAll(async () => {
  cluster = await startTestCluster();
  await cluster.client.createPod(`${namespace}/web-1`, { labels: { app: 'web' } });
  await cluster.client.createPod(`${namespace}/web-2`, { labels: { app: 'web', in: 'in' } });
  await cluster.client.createPod(`${namespace}/db`, { labels: { app: 'db', size: '5' } });
  await cluster.client.createSecret(`${namespace}/secret`, { data: { a: 'b' } });
  const { body } = await cluster.client.request('GET', `${pods}?limit=1`);
  version = (body as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
});
afterAll(async () => {
  await cluster.client.request('DELETE', `/api/v1/namespaces/${namespace}`);
  await cluster[Symbol.asyncDispose]();
});

function encoded(query: string): string {
  return encodeURI(query.replace('VERSION', version).replaceAll('NAMESPACE', namespace)).replaceAll('+', '%2B');
}

/** An answer's names if it is a list, else the whole of it. */
async function answer(path: string, headers = {}): Promise<unknown> {
  const { status, body } = await cluster.client.request('GET', encoded(path), undefined, { headers });
  if (typeof body === 'object' && body !== null && 'items' in body) {
    const { kind, items } = body as { kind: string; items: { metadata: { name: string } }[] };
    return { status, kind, names: items.map(({ metadata }) => metadata.name) };
  }
  return { status, body: comparable(body) };
}

function comparable(value: unknown): unknown {
  const text = JSON.stringify(value, (key, part: unknown) => (key === 'managedFields' ? undefined : part));
  return JSON.parse(
    text
      .replaceAll(`-${id}`, '')
      .replaceAll(/"uid":"[^"]+"/g, '"uid":"<uid>"')
      .replaceAll(/"resourceVersion":"\d+"/g, '"resourceVersion":"<version>"')
      .replaceAll(/current: \d+/g, 'current: <version>')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '<time>'),
  );
}

describe('A label selector', () => {
  test.each([
    ['', ['db', 'web-1', 'web-2']],
    ['app', ['db', 'web-1', 'web-2']],
    ['!in', ['db', 'web-1']],
    ['app=web', ['web-1', 'web-2']],
    ['app==web', ['web-1', 'web-2']],
    [' app = web , in ', ['web-2']],
    ['app!=web', ['db']],
    ['in!=in', ['db', 'web-1']],
    ['in=in', ['web-2']],
    ['in=', []],
    ['in!=,app', ['db', 'web-1', 'web-2']],
    ['app in (web)', ['web-1', 'web-2']],
    ['app in (web, db)', ['db', 'web-1', 'web-2']],
    ['app in (web,,db)', ['db', 'web-1', 'web-2']],
    ['app in (web,)', ['web-1', 'web-2']],
    ['app in ()', []],
    ['in in (in,notin)', ['web-2']],
    ['app notin (web)', ['db']],
    ['in notin (in)', ['db', 'web-1']],
    ['app,app=db', ['db']],
    ['size>4', ['db']],
    ['size>5', []],
    ['size<6', ['db']],
    ['app>1', []],
    ['example.com/app', []],
  ])('%j selects %j', async (selector, names) => {
    expect(await answer(`${pods}?labelSelector=${selector}`)).toEqual({ status: 200, kind: 'PodList', names });
  });

  test.each([
    ',',
    '=',
    '()',
    '!',
    '!!app',
    '!app=web',
    'app=,',
    'app=web,',
    'app,,app',
    'app)',
    'app===',
    'app=(',
    'app=web=b',
    'app in',
    'app in web',
    'app in (=',
    'app in (web',
    'app in (web=',
    'app in (web,=',
    'app web',
    'app>',
    'app>web',
    'app>-a',
    'app>1.5',
    'app in (-a,-b)',
    'app=-web',
    `app=${LONG}`,
    '-app',
    'a/b/c',
    'A_/app',
    '/app',
    'app/',
    LONG,
  ])('%j is refused', async (selector) => {
    const refusal = await answer(`${pods}?labelSelector=${selector}`);
    const reworded = REWORDED.get(selector);
    if (reworded === undefined) {
      expect(refusal).toMatchSnapshot();
      return;
    }
    const message =
      cluster.version === '1.33'
        ? expect.stringMatching('^unable to parse requirement: ')
        : `unable to parse requirement: ${reworded}`;
    expect(refusal).toMatchObject({ status: 400, body: { kind: 'Status', reason: 'BadRequest', message } });
  });
});

describe('A field selector', () => {
  test.each([
    ['metadata.name=web-1', ['web-1']],
    ['metadata.name==web-1,', ['web-1']],
    ['metadata.name!=web-1', ['db', 'web-2']],
    ['metadata.name=web-1,metadata.name=web-2', []],
    ['metadata.namespace=NAMESPACE', ['db', 'web-1', 'web-2']],
    ['metadata.namespace=attic', []],
    ['spec.nodeName=', ['db', 'web-1', 'web-2']],
    ['spec.host=', ['db', 'web-1', 'web-2']],
    ['spec.serviceAccountName=default', ['db', 'web-1', 'web-2']],
    ['spec.schedulerName=default-scheduler,spec.restartPolicy=Always', ['db', 'web-1', 'web-2']],
    ['spec.hostNetwork=false', ['db', 'web-1', 'web-2']],
    ['spec.hostNetwork=true', []],
    ['status.phase=Pending', ['db', 'web-1', 'web-2']],
    ['status.podIP=', ['db', 'web-1', 'web-2']],
    ['status.nominatedNodeName=', ['db', 'web-1', 'web-2']],
    ['metadata.name=a\\,b\\=c\\\\', []],
    ['=', ['db', 'web-1', 'web-2']],
    [',', ['db', 'web-1', 'web-2']],
  ])('%j selects %j', async (selector, names) => {
    expect(await answer(`${pods}?fieldSelector=${selector}`)).toEqual({ status: 200, kind: 'PodList', names });
  });

  test.each([
    'metadata.name',
    'metadata.name=a,b',
    'metadata.name=a=b',
    'metadata.name===a',
    'metadata.name=\\x',
    'metadata.name=\\',
    'metadata.uid=x',
    '=x',
    'foo=1,bar=2',
  ])('%j is refused', async (selector) => {
    expect(await answer(`${pods}?fieldSelector=${selector}`)).toMatchSnapshot();
  });

  test.each([
    ['/api/v1/namespaces/NAMESPACE/secrets?fieldSelector=type=Opaque', ['secret']],
    ['/api/v1/namespaces/NAMESPACE/secrets?fieldSelector=type=Other', []],
    ['/api/v1/namespaces?fieldSelector=status.phase=Active,metadata.name=NAMESPACE', ['shop']],
    ['/apis/rbac.authorization.k8s.io/v1/clusterroles?fieldSelector=metadata.name=view', ['view']],
    ['/api/v1/serviceaccounts?fieldSelector=metadata.namespace=NAMESPACE,metadata.name=default', ['default']],
  ])('of another kind: %s', async (path, names) => {
    expect(comparable(await answer(path))).toMatchObject({ status: 200, names });
  });

  test.each([
    '/api/v1/nodes?fieldSelector=metadata.namespace=x',
    '/api/v1/namespaces?fieldSelector=metadata.namespace=x',
    '/api/v1/serviceaccounts?fieldSelector=metadata.uid=x',
    '/apis/rbac.authorization.k8s.io/v1/roles?fieldSelector=foo=x',
  ])('of another kind, refused: %s', async (path) => {
    expect(await answer(path)).toMatchSnapshot();
  });
});

describe('A list', () => {
  test.each([
    'limit=0',
    'limit=-1',
    'limit=2',
    'timeoutSeconds=-1',
    'resourceVersion=',
    'resourceVersion=0',
    'resourceVersion=VERSION',
    'resourceVersion=VERSION&resourceVersionMatch=Exact',
    'resourceVersion=VERSION&resourceVersionMatch=NotOlderThan',
    'continue=',
    'allowWatchBookmarks=true',
    'watch=0',
    'watch=False',
    'foo=bar',
  ])('%s', async (query) => {
    expect(await answer(`${pods}?${query}`)).toMatchSnapshot();
  });

  test.each([
    'limit=',
    'limit=x',
    'timeoutSeconds=x',
    'timeoutSeconds=',
    'resourceVersion=abc',
    'resourceVersion=-1',
    'resourceVersion=99999999999999999999999',
    'resourceVersionMatch=Exact',
    'resourceVersionMatch=foo',
    'resourceVersion=1&resourceVersionMatch=foo',
    'resourceVersion=0&resourceVersionMatch=Exact',
    'resourceVersion=1&resourceVersionMatch=NotOlderThan&continue=x',
    'sendInitialEvents=true',
    'sendInitialEvents=false',
    'continue=x',
    'continue=abc*',
    'continue=eyJ2IjoieCIsInJ2IjoxLCJzdGFydCI6ImEifQ',
    'continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MCwic3RhcnQiOiJhIn0',
    'continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiIifQ',
    'continue=x&resourceVersion=5',
    'continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhIn0&resourceVersion=5',
  ])('%s is refused', async (query) => {
    expect(await answer(`${pods}?${query}`)).toMatchSnapshot();
  });

  test('of a version that is not yet reached is told to try again', async () => {
    expect(await answer(`${pods}?resourceVersion=99999999`)).toMatchSnapshot();
  });

  test('how many there are still is only said where nothing is selected', async () => {
    const metadataOf = async (query: string): Promise<object> => {
      const { body } = await cluster.client.request('GET', `${pods}?limit=1&${query}`);
      return (body as { metadata: object }).metadata;
    };
    expect(await metadataOf('')).toMatchObject({ continue: expect.any(String), remainingItemCount: 2 });
    expect(await metadataOf('labelSelector=app')).not.toHaveProperty('remainingItemCount');
    expect(await metadataOf('labelSelector=app')).toHaveProperty('continue');
    expect(await metadataOf('fieldSelector=spec.nodeName%3D')).not.toHaveProperty('remainingItemCount');
  });
});

describe('A watch', () => {
  async function opened(query: string, accept = 'application/json'): Promise<object> {
    using watch = await openWatch(cluster.client.kubeConfig, encoded(`${pods}?watch=1&${query}`), { accept });
    const end = watch.status === 200 ? undefined : await watch.ended;
    return { status: watch.status, type: watch.headers['content-type'], end, events: comparable(watch.events) };
  }

  test.each([
    'resourceVersion=abc',
    'resourceVersion=-1',
    'resourceVersion=99999999999999999999999',
    'timeoutSeconds=x',
    'timeoutSeconds=',
    'limit=x',
    'labelSelector==',
    'fieldSelector=metadata.uid=x',
    'resourceVersionMatch=NotOlderThan&resourceVersion=VERSION',
    'resourceVersionMatch=Exact&resourceVersion=VERSION',
    'resourceVersionMatch=foo',
  ])('%s is refused', async (query) => {
    expect(await opened(query)).toMatchSnapshot();
  });

  test('of a time that is over before it begins says nothing', async () => {
    using watch = await openWatch(
      cluster.client.kubeConfig,
      encoded(`${pods}?watch=1&timeoutSeconds=-1&resourceVersion=VERSION`),
    );
    expect([watch.status, await watch.ended, watch.events]).toEqual([200, 'end', []]);
  });

  test('of a name is no watch', async () => {
    expect(await answer(`${pods}/db?watch=1`)).toMatchObject({ status: 200, body: { kind: 'Pod' } });
  });

  describe('may ask for what there is, and where that ends', () => {
    const [mark, all] = [
      { type: 'BOOKMARK', annotations: { 'k8s.io/initial-events-end': 'true' } },
      ['db', 'web-1', 'web-2'].map((name) => ({ type: 'ADDED', name })),
    ];

    /** What comes before a Pod that is made then. */
    async function beginning(query: string): Promise<unknown> {
      const name = `then-${randomBytes(4).toString('hex')}`;
      using watch = await openWatch(cluster.client.kubeConfig, encoded(`${pods}?watch=1&${query}`));
      if (watch.status !== 200) {
        await watch.ended;
        return { status: watch.status, body: comparable(watch.events[0]) };
      }
      const pod = await cluster.client.createPod(`${namespace}/${name}`);
      await watch.find(({ object }) => object.metadata.name === name);
      await pod.delete();
      return (
        watch.events
          // A real one has further bookmarks now and then.
          .filter(({ type, object }) => type !== 'BOOKMARK' || object.metadata['annotations'] !== undefined)
          .filter(({ object }) => object.metadata.name?.startsWith('then') !== true)
          .map(({ type, object: { metadata } }) =>
            type === 'BOOKMARK' ? { type, annotations: metadata['annotations'] } : { type, name: metadata.name },
          )
      );
    }

    test.each([
      ['allowWatchBookmarks=true', [...all, mark]],
      ['allowWatchBookmarks=1&resourceVersion=0', [...all, mark]],
      ['sendInitialEvents=true&resourceVersionMatch=NotOlderThan', all],
      ['sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true', [...all, mark]],
      [
        'sendInitialEvents=x&resourceVersionMatch=NotOlderThan&allowWatchBookmarks&resourceVersion=VERSION',
        [...all, mark],
      ],
      ['sendInitialEvents=false&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true', []],
      ['sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion=VERSION', []],
    ])('%s', async (query, expected) => {
      const hasWatchList = cluster.version !== '1.33';
      const isRefused = !hasWatchList && query.startsWith('send');
      const got = await beginning(query);
      if (isRefused) expect(got).toMatchObject({ status: 422 });
      else expect(got).toEqual(hasWatchList ? expected : all);
    });

    const NOT_OLDER_THAN = 'Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan';

    test.each([
      ['sendInitialEvents=true', [NOT_OLDER_THAN]],
      ['sendInitialEvents=false', [NOT_OLDER_THAN]],
      [
        'sendInitialEvents=true&resourceVersionMatch=Exact',
        [NOT_OLDER_THAN, 'Unsupported value: "Exact": supported values: "NotOlderThan"'],
      ],
    ])('%s is refused', async (query, messages) => {
      const answered = await opened(query);
      // Kubernetes 1.33 forbids it whole.
      const causes =
        cluster.version === '1.33'
          ? expect.anything()
          : messages.map((message) => expect.objectContaining({ field: 'resourceVersionMatch', message }));
      expect(answered).toMatchObject({
        status: 422,
        type: 'application/json',
        events: [{ kind: 'Status', reason: 'Invalid', details: { kind: 'ListOptions', causes } }],
      });
    });
  });
});

describe('The form of an answer', () => {
  const metadataOnly = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
  const metadataOnlyList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

  test.each([
    '',
    '*/*',
    'application/json',
    'application/json;q=0.5',
    'application/json;stream=watch',
    'text/html, application/json',
    metadataOnly,
    metadataOnlyList,
    'application/json; as=PartialObjectMetadataList; g=meta.k8s.io; v=v1',
    `${metadataOnly},application/json`,
    `${metadataOnlyList},application/json`,
    'application/json;as=Foo;g=meta.k8s.io;v=v1',
    'application/json;as=Foo;g=meta.k8s.io;v=v1,application/json',
    'application/json;as=PartialObjectMetadata',
    'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v9',
    'application/*',
    'text/plain',
  ])('Accept: %s', async (accept) => {
    const object = await answer(`${pods}/db`, { accept });
    expect({
      list: await answer(`${pods}?fieldSelector=metadata.name=db`, { accept }),
      object: comparable(withoutSpec(object)),
    }).toMatchSnapshot();
  });

  function withoutSpec(object: unknown): unknown {
    return JSON.parse(JSON.stringify(object, (key, value: unknown) => (key === 'spec' ? '<spec>' : value)));
  }

  test('of a list of nothing', async () => {
    const itemsAs = async (accept: string): Promise<unknown> => {
      const path = encoded(`${pods}?fieldSelector=metadata.name=none`);
      const { body } = await cluster.client.request('GET', path, undefined, { headers: { accept } });
      return (body as { items: unknown }).items;
    };
    expect([await itemsAs('application/json'), await itemsAs(metadataOnlyList)]).toEqual([[], null]);
  });

  test('a watch that asks for lists of metadata ends as soon as there is something to say', async () => {
    using watch = await openWatch(cluster.client.kubeConfig, `${pods}?watch=1`, { accept: metadataOnlyList });
    expect([watch.status, await watch.ended, watch.events]).toEqual([200, 'end', []]);
  });
});
