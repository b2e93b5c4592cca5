import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { type Labels, parseLabelSelector } from '../../../src/authorization/label-selector.ts';
import { startTestCluster, type TestCluster } from '../conformance/test-cluster.ts';

const namespace = `labels-${randomBytes(4).toString('hex')}`;
const pods: Readonly<Record<string, Labels>> = {
  bare: {},
  web: { app: 'web', 'example.com/tier': 'front', replicas: '3' },
  canary: { app: 'web', canary: '', replicas: '12' },
  api: { app: 'api', In: 'x', replicas: 'many' },
  few: { replicas: '1', in: 'notin' },
};

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
  for (const [name, labels] of Object.entries(pods)) await cluster.client.createPod(`${namespace}/${name}`, { labels });
});
afterAll(async () => {
  await cluster.client.request('DELETE', `/api/v1/namespaces/${namespace}`);
  await cluster[Symbol.asyncDispose]();
});

/** The names of those that it selects, or `undefined` where it makes no sense. */
function selectedHere(selector: string): string[] | undefined {
  try {
    const selects = parseLabelSelector(selector);
    return Object.keys(pods)
      .filter((name) => selects(pods[name] ?? {}))
      .toSorted();
  } catch {
    return undefined;
  }
}

async function selectedThere(selector: string): Promise<string[] | undefined> {
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector)}`;
  const { status, body } = await cluster.client.request('GET', path);
  if (status === 400) return undefined;
  return (body as { items: { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name).toSorted();
}

const everything = Object.keys(pods).toSorted();
describe('A label selector means what it means to the API server', () => {
  test.each<[string, readonly string[] | undefined]>([
    ['', everything],
    [' ', everything],
    ['app=web', ['canary', 'web']],
    ['app==web', ['canary', 'web']],
    [' app = web ', ['canary', 'web']],
    ['app!=web', ['api', 'bare', 'few']],
    ['app=', []],
    ['canary=', ['canary']],
    ['canary!=', ['api', 'bare', 'few', 'web']],
    ['app', ['api', 'canary', 'web']],
    ['!app', ['bare', 'few']],
    ['! app', ['bare', 'few']],
    ['app in (web, api),!canary', ['api', 'web']],
    ['app in (web,api), canary', ['canary']],
    ['app in(web)', ['canary', 'web']],
    ['app notin (web)', ['api', 'bare', 'few']],
    ['app in ()', []],
    ['canary in ()', ['canary']],
    ['canary in (a,)', ['canary']],
    ['canary in (,a)', ['canary']],
    ['app notin ()', everything],
    ['app in (web),app notin (web)', []],
    ['example.com/tier=front', ['web']],
    ['example.com/tier', ['web']],
    ['replicas>3', ['canary']],
    ['replicas > 2', ['canary', 'web']],
    ['replicas<3', ['few']],
    ['replicas<12,replicas>1', ['web']],
    ['in', ['few']],
    ['in in (notin)', ['few']],
    ['In=x', ['api']],
    ['app=Web', []],
    ['app=web,app=web', ['canary', 'web']],
    ['app=web,', undefined],
    [',app=web', undefined],
    ['app=web,,canary', undefined],
    ['=web', undefined],
    ['app=web=x', undefined],
    ['app===web', undefined],
    ['app=web api', undefined],
    ['app web', undefined],
    ['!app=web', undefined],
    ['!!app', undefined],
    ['!', undefined],
    ['app in web', undefined],
    ['app in (web', undefined],
    ['app in web)', undefined],
    ['app in', undefined],
    ['app in (web api)', undefined],
    ['app in ((web))', undefined],
    ['app in (web)x', undefined],
    ['(app)', undefined],
    ['app=(web)', undefined],
    ['-app', undefined],
    ['app=-web', undefined],
    ['app=web-', undefined],
    ['app=w/b', undefined],
    ['a/b/c', undefined],
    ['/app', undefined],
    ['EXAMPLE.com/app', undefined],
    ['app>', undefined],
    ['app>x', undefined],
    ['app>=3', undefined],
    ['app>1.5', undefined],
    ['app>web', undefined],
    [`app=${'a'.repeat(63)}`, []],
    [`app=${'a'.repeat(64)}`, undefined],
    [`${'a'.repeat(64)}=x`, undefined],
    ['app="web"', undefined],
    ['app=wéb', undefined],
    ['app in (in, notin)', []],
    ['app=in', []],
    ['notin=1', []],
    ['in=notin', ['few']],
    ['!in', ['api', 'bare', 'canary', 'web']],
    ['replicas>-2', undefined],
    ['replicas>03', ['canary']],
    ['replicas>+3', undefined],
    ['replicas>99999999999999999999', undefined],
  ])('%j', async (selector, expected) => {
    expect({ there: await selectedThere(selector), here: selectedHere(selector) }).toEqual({
      there: expected,
      here: expected,
    });
  });
});
