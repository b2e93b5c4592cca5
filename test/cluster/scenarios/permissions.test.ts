import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import express from 'express';

import {
  type AccessAttributes,
  type Authenticator,
  createAuthenticator,
  k8sServiceAccountAuth,
  type NonResourceAttributes,
  requirePermission,
  type ResourceAttributes,
} from '../../../src/index.ts';
import type { RbacManifest } from '../../../src/testing/index.ts';
import { readClusterInfo } from '../cluster-info.ts';
import { type ListeningServer, listening } from '../../express/support/listening.ts';
import { createReviewer } from '../conformance/create-reviewer.ts';
import { startTestCluster, type TestCluster } from '../conformance/test-cluster.ts';
import { findKubectl } from '../find-kubectl.ts';
import { kubectlFor } from '../kubectl.ts';
import { defaultKubernetesVersion, kubernetesVersions } from '../kubernetes-version.ts';

const id = randomBytes(4).toString('hex');
const shop = `shop-${id}`;
const attic = `attic-${id}`;
const group = `orders-${id}.example.com`;
const paths = `/reports-${id}`;

type Rule = NonNullable<RbacManifest['rules']>[number];
type Subject = NonNullable<RbacManifest['subjects']>[number];

const role = (namespace: string, name: string, ...rules: readonly Rule[]): RbacManifest => ({
  kind: 'Role',
  metadata: { namespace, name },
  rules,
});
const clusterRole = (name: string, ...rules: readonly Rule[]): RbacManifest => ({
  kind: 'ClusterRole',
  metadata: { name: `${name}-${id}` },
  rules,
});
const bound = (
  namespace: string,
  kind: 'Role' | 'ClusterRole',
  name: string,
  ...subjects: Subject[]
): RbacManifest => ({
  kind: 'RoleBinding',
  metadata: { namespace, name: `${name}-${subjects[0]?.name.replaceAll(':', '.')}` },
  roleRef: { kind, name: kind === 'Role' ? name : `${name}-${id}` },
  subjects,
});
const boundEverywhere = (name: string, ...subjects: readonly Subject[]): RbacManifest => ({
  kind: 'ClusterRoleBinding',
  metadata: { name: `${name}-${id}` },
  roleRef: { kind: 'ClusterRole', name: `${name}-${id}` },
  subjects,
});
const account = (namespace: string, name: string): Subject => ({ kind: 'ServiceAccount', namespace, name });
const members = (name: string): Subject => ({ kind: 'Group', name });

/** Each shape of a Role, each way to be bound to it. */
const policy: readonly RbacManifest[] = [
  role(shop, 'reader', { verbs: ['get', 'list'], apiGroups: [group], resources: ['orders'] }),
  bound(shop, 'Role', 'reader', account(shop, 'web')),
  role(
    shop,
    'named',
    { verbs: ['update'], apiGroups: [group], resources: ['orders'], resourceNames: ['order-1', 'ORDER.2', 'order 3'] },
    { verbs: ['approve'], apiGroups: [group], resources: ['orders/status'], resourceNames: ['order-1'] },
  ),
  bound(shop, 'Role', 'named', account(shop, 'web')),
  role(
    shop,
    'subresources',
    { verbs: ['patch'], apiGroups: [group], resources: ['orders/status', '*/scale'] },
    { verbs: ['connect'], apiGroups: [group], resources: ['*'] },
  ),
  bound(shop, 'Role', 'subresources', account(shop, 'web')),
  role(shop, 'any-verb', { verbs: ['*'], apiGroups: [group], resources: ['invoices'] }),
  bound(shop, 'Role', 'any-verb', account(shop, 'web')),
  role(shop, 'any-group', { verbs: ['get'], apiGroups: ['*'], resources: ['carts'] }),
  bound(shop, 'Role', 'any-group', account(shop, 'web')),
  role(shop, 'core', { verbs: ['get'], apiGroups: [''], resources: ['configmaps'] }),
  bound(shop, 'Role', 'core', { kind: 'User', name: `system:serviceaccount:${shop}:web` }),
  role(shop, 'everything', { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }),
  bound(shop, 'Role', 'everything', account(shop, 'batch')),
  role(shop, 'nothing'),
  bound(shop, 'Role', 'nothing', account(attic, 'visitor')),
  // Across namespaces: a right in `shop` for an account of `attic`.
  role(shop, 'visits', { verbs: ['visit'], apiGroups: [group], resources: ['orders'] }),
  bound(shop, 'Role', 'visits', account(attic, 'visitor')),
  bound(attic, 'Role', 'gone', account(attic, 'visitor')),
  // A namesake of another namespace, and a group of a namespace.
  bound(attic, 'Role', 'attic-reader', account(attic, 'web')),
  role(attic, 'attic-reader', { verbs: ['get'], apiGroups: [group], resources: ['orders'] }),
  role(shop, 'for-group', { verbs: ['count'], apiGroups: [group], resources: ['orders'] }),
  bound(shop, 'Role', 'for-group', members(`system:serviceaccounts:${shop}`)),
  // ClusterRoles, in one namespace and in all.
  clusterRole('auditor', { verbs: ['audit'], apiGroups: [group], resources: ['orders'] }),
  bound(shop, 'ClusterRole', 'auditor', account(shop, 'web')),
  clusterRole('lister', { verbs: ['list'], apiGroups: [group], resources: ['payments'] }),
  boundEverywhere('lister', account(shop, 'web')),
  clusterRole('all-accounts', { verbs: ['greet'], apiGroups: [group], resources: ['orders'] }),
  boundEverywhere('all-accounts', members('system:serviceaccounts')),
  clusterRole('authenticated', { verbs: ['wave'], apiGroups: [group], resources: ['orders'] }),
  boundEverywhere('authenticated', members('system:authenticated')),
  clusterRole(
    'paths',
    { verbs: ['get'], nonResourceURLs: [paths, `${paths}/open/*`, `${paths}-star*`] },
    { verbs: ['*'], nonResourceURLs: [`${paths}/any-verb`] },
  ),
  boundEverywhere('paths', account(shop, 'web')),
  // As the controller that aggregates would fill it in; some of the clusters run none.
  {
    ...clusterRole('piece', { verbs: ['get'], apiGroups: [group], resources: ['pieces'] }),
    metadata: { name: `piece-${id}`, labels: { whole: id } },
  },
  {
    ...clusterRole('whole', { verbs: ['get'], apiGroups: [group], resources: ['pieces'] }),
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { whole: id } }] },
  },
  bound(shop, 'ClusterRole', 'whole', account(shop, 'web')),
];

interface Scenario {
  readonly may: boolean;
  readonly what: string;
  /** Default: `web` of the namespace `shop`. */
  readonly caller?: 'web' | 'batch' | 'visitor' | 'attic-web';
  readonly attributes: AccessAttributes;
}

const order = (verb: string, more: Partial<ResourceAttributes> = {}): ResourceAttributes => ({
  verb,
  group,
  resource: 'orders',
  namespace: shop,
  ...more,
});
const everywhere = ({ verb, group: of, resource }: ResourceAttributes): ResourceAttributes => ({
  verb,
  group: of,
  resource,
});
const path = (verb: string, rest: string): NonResourceAttributes => ({ verb, path: `${paths}${rest}` });

const scenarios: readonly Scenario[] = [
  { may: true, what: 'a verb of a Role', attributes: order('get') },
  { may: true, what: 'its other verb', attributes: order('list') },
  { may: false, what: 'a verb that it does not name', attributes: order('delete') },
  { may: true, what: 'an object by name, where the Role names none', attributes: order('get', { name: 'order-7' }) },
  { may: false, what: 'another group', attributes: order('get', { group: 'example.com' }) },
  { may: false, what: 'another resource', attributes: order('get', { resource: 'refunds' }) },
  { may: false, what: 'another namespace', attributes: order('get', { namespace: attic }) },
  { may: false, what: 'all namespaces, by a Role of one', attributes: everywhere(order('get')) },
  { may: false, what: 'a subresource, by its resource', attributes: order('get', { subresource: 'status' }) },
  { may: false, what: 'all verbs, by some', attributes: order('*') },
  { may: false, what: 'all resources, by one', attributes: order('get', { resource: '*' }) },
  { may: false, what: 'all groups, by one', attributes: order('get', { group: '*' }) },
  { may: true, what: 'a resourceName', attributes: order('update', { name: 'order-1' }) },
  { may: true, what: 'a resourceName with capitals', attributes: order('update', { name: 'ORDER.2' }) },
  { may: true, what: 'a resourceName with a space', attributes: order('update', { name: 'order 3' }) },
  { may: false, what: 'a resourceName in another case', attributes: order('update', { name: 'Order-1' }) },
  { may: false, what: 'another name', attributes: order('update', { name: 'order-10' }) },
  { may: false, what: 'any name, where names are listed', attributes: order('update') },
  {
    may: true,
    what: 'a resourceName of a subresource',
    attributes: order('approve', { subresource: 'status', name: 'order-1' }),
  },
  {
    may: false,
    what: 'a resourceName of a subresource, on the resource',
    attributes: order('approve', { name: 'order-1' }),
  },
  { may: true, what: 'a subresource', attributes: order('patch', { subresource: 'status' }) },
  {
    may: true,
    what: 'a subresource of any resource',
    attributes: order('patch', { resource: 'x', subresource: 'scale' }),
  },
  { may: false, what: 'a resource, by its subresource', attributes: order('patch') },
  { may: true, what: 'any resource', attributes: order('connect', { resource: 'whatever' }) },
  { may: true, what: 'a subresource, by any resource', attributes: order('connect', { subresource: 'log' }) },
  { may: true, what: 'any verb', attributes: order('frobnicate', { resource: 'invoices' }) },
  { may: true, what: 'all verbs, by *', attributes: order('*', { resource: 'invoices' }) },
  { may: true, what: 'any group', attributes: order('get', { group: 'x.example.org', resource: 'carts' }) },
  { may: true, what: 'the core group, by any', attributes: order('get', { group: '', resource: 'carts' }) },
  { may: true, what: 'all groups, by *', attributes: order('get', { group: '*', resource: 'carts' }) },
  {
    may: true,
    what: 'the core group, for an account bound as a user',
    attributes: order('get', { group: '', resource: 'configmaps' }),
  },
  { may: false, what: 'the core group, in another', attributes: order('get', { resource: 'configmaps' }) },
  { may: true, what: 'everything in a namespace', caller: 'batch', attributes: order('do', { resource: 'things' }) },
  {
    may: true,
    what: 'all of all, by everything',
    caller: 'batch',
    attributes: order('*', { group: '*', resource: '*' }),
  },
  {
    may: false,
    what: 'everything of a namespace, in another',
    caller: 'batch',
    attributes: order('get', { namespace: attic }),
  },
  {
    may: false,
    what: 'everything of a namespace, in all',
    caller: 'batch',
    attributes: everywhere(order('get')),
  },
  { may: false, what: 'a path, by everything in a namespace', caller: 'batch', attributes: path('get', '') },
  { may: true, what: 'a right across namespaces', caller: 'visitor', attributes: order('visit') },
  {
    may: false,
    what: 'a right across namespaces, at home',
    caller: 'visitor',
    attributes: order('visit', { namespace: attic }),
  },
  { may: false, what: 'what a Role without rules gives', caller: 'visitor', attributes: order('get') },
  {
    may: false,
    what: 'what a Role that is gone gave',
    caller: 'visitor',
    attributes: order('get', { namespace: attic }),
  },
  { may: false, what: 'the right of a namesake', caller: 'attic-web', attributes: order('get') },
  {
    may: true,
    what: 'the right of that namesake at home',
    caller: 'attic-web',
    attributes: order('get', { namespace: attic }),
  },
  { may: true, what: "a right of a namespace's group", caller: 'batch', attributes: order('count') },
  { may: false, what: "a right of another namespace's group", caller: 'visitor', attributes: order('count') },
  { may: true, what: 'a ClusterRole bound in a namespace', attributes: order('audit') },
  {
    may: false,
    what: 'a ClusterRole bound in another namespace',
    attributes: order('audit', { namespace: attic }),
  },
  { may: true, what: 'a ClusterRole, in a namespace', attributes: order('list', { resource: 'payments' }) },
  {
    may: true,
    what: 'a ClusterRole, in all namespaces',
    attributes: everywhere(order('list', { resource: 'payments' })),
  },
  {
    may: true,
    what: 'a ClusterRole, in a namespace that there is not',
    attributes: order('list', { resource: 'payments', namespace: 'nowhere' }),
  },
  { may: true, what: 'a right of all ServiceAccounts', caller: 'visitor', attributes: order('greet') },
  { may: true, what: 'a right of everyone known', caller: 'visitor', attributes: order('wave') },
  { may: true, what: 'an aggregated ClusterRole', attributes: order('get', { resource: 'pieces' }) },
  {
    may: false,
    what: 'an aggregated ClusterRole, in another namespace',
    attributes: order('get', { resource: 'pieces', namespace: attic }),
  },
  { may: true, what: 'a path', attributes: path('get', '') },
  { may: false, what: 'a path below it', attributes: path('get', '/closed') },
  { may: true, what: 'a path below a *', attributes: path('get', '/open/2026/q1') },
  { may: false, what: 'the path itself of a *', attributes: path('get', '/open') },
  { may: true, what: 'a path that begins so', attributes: path('get', '-starry/night') },
  { may: false, what: 'another verb on a path', attributes: path('post', '') },
  { may: false, what: 'a path in another case', attributes: { verb: 'get', path: paths.toUpperCase() } },
  { may: true, what: 'any verb on a path', attributes: path('delete', '/any-verb') },
  { may: true, what: 'all verbs on a path, by *', attributes: path('*', '/any-verb') },
  { may: false, what: 'all verbs on a path, by one', attributes: path('*', '') },
  { may: false, what: 'a path that nobody names', attributes: { verb: 'get', path: '/' } },
  { may: false, what: 'a path, for another account', caller: 'visitor', attributes: path('get', '') },
  {
    may: true,
    what: 'the keys, as every cluster lets ServiceAccounts',
    attributes: { verb: 'get', path: '/openid/v1/jwks' },
  },
];

let cluster: TestCluster;
let authenticator: Authenticator;
let server: ListeningServer;
const tokens = new Map<string, string>();
const usernames = {
  web: `system:serviceaccount:${shop}:web`,
  batch: `system:serviceaccount:${shop}:batch`,
  visitor: `system:serviceaccount:${attic}:visitor`,
  'attic-web': `system:serviceaccount:${attic}:web`,
};

beforeAll(async () => {
  cluster = await startTestCluster();
  const { client } = cluster;
  for (const [name, username] of Object.entries(usernames)) {
    const [, , namespace, serviceAccount = ''] = username.split(':');
    const pod = await client.createPod(`${namespace}/${serviceAccount}-1`, { serviceAccount });
    tokens.set(name, await pod.token({ audiences: 'orders' }));
  }
  await client.rbac(...policy);
  authenticator = createAuthenticator({
    audiences: 'orders',
    kubeConfig: client.kubeConfigOf(await createReviewer(cluster)),
    clock: cluster.clock,
    log: false,
  });
  const app = express().set('env', 'test').use(k8sServiceAccountAuth({ authenticator }));
  for (const [index, { attributes }] of scenarios.entries()) {
    app.get(`/${index}`, requirePermission(attributes), (_req, res) => {
      res.end();
    });
  }
  server = await listening(app);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await authenticator.close();
  for (const { kind, metadata } of policy) {
    const collection = `/apis/rbac.authorization.k8s.io/v1/${kind.toLowerCase()}s`;
    if (metadata.namespace === undefined) await cluster.client.request('DELETE', `${collection}/${metadata.name}`);
  }
  for (const namespace of [shop, attic]) await cluster.client.request('DELETE', `/api/v1/namespaces/${namespace}`);
  await cluster[Symbol.asyncDispose]();
});

/**
 * What `kubectl auth can-i --as` asks: the question about oneself, by somebody who takes the other's place. kubectl itself
 * cannot ask about resources that the cluster does not have.
 */
async function canI(username: string, attributes: AccessAttributes): Promise<unknown> {
  const spec = 'path' in attributes ? { nonResourceAttributes: attributes } : { resourceAttributes: attributes };
  const { body } = await cluster.client.request(
    'POST',
    '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    { spec },
    { headers: { 'impersonate-user': username } },
  );
  return (body as { status?: { allowed?: unknown } }).status?.allowed;
}

describe('Permissions, asked as by kubectl auth can-i --as, in a handler, and on a route', () => {
  test.each(scenarios.map((scenario, index) => [scenario.may ? 'yes' : 'no', scenario.what, index, scenario] as const))(
    '%s: %s',
    async (_may, _what, index, { may, caller = 'web', attributes }) => {
      const token = tokens.get(caller) ?? '';
      const { port } = server;
      const route = await fetch(`http://127.0.0.1:${port}/${index}`, { headers: { authorization: `Bearer ${token}` } });
      const identity = await authenticator.authenticate(token);

      expect({
        kubectl: await canI(usernames[caller], attributes),
        handler: await authenticator.allowed(identity, attributes),
        route: route.status,
      }).toEqual({ kubectl: may, handler: may, route: may ? 200 : 403 });
    },
  );
});

// kubectl drops the group of a resource that the cluster does not have. A real one has what CustomResourceDefinitions name.
const onRealCluster = (await readClusterInfo()) === undefined ? test.skip : test;
const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const customResources = ['orders', 'refunds', 'invoices', 'carts', 'payments', 'pieces', 'things', 'whatever'];

/** The question as one types it; `undefined`: kubectl cannot ask that. */
function typed(attributes: AccessAttributes): string | undefined {
  if ('path' in attributes) return `'${attributes.verb}' '${attributes.path}'`;
  const { verb, group: of, resource, subresource, namespace, name } = attributes;
  const isKnown = of === group ? customResources.includes(resource) : of === '' && resource === 'configmaps';
  if (!isKnown) return undefined;
  const what = [of === '' ? resource : `${resource}.${of}`, name].filter(Boolean).join('/');
  const where = namespace === undefined ? '--all-namespaces' : `--namespace '${namespace}'`;
  return `'${verb}' '${what}' ${where} ${subresource === undefined ? '' : `--subresource '${subresource}'`}`;
}

async function defineCustomResources(): Promise<void> {
  for (const plural of customResources) {
    const schema = { openAPIV3Schema: { type: 'object' } };
    const spec = {
      group,
      scope: 'Namespaced',
      names: { plural, kind: `K${plural}` },
      versions: [{ name: 'v1', served: true, storage: true, schema, subresources: { status: {} } }],
    };
    const { status } = await cluster.client.request('POST', crds, { metadata: { name: `${plural}.${group}` }, spec });
    expect(status).toBe(201);
  }
  const served = async (): Promise<number> => {
    const { body } = await cluster.client.request('GET', `/apis/${group}/v1`);
    const { resources = [] } = body as { resources?: { name: string }[] };
    return resources.filter(({ name }) => !name.includes('/')).length;
  };
  // The test's timeout ends a wait in vain.
  while ((await served()) < customResources.length) await sleep(100);
}

onRealCluster(
  'kubectl auth can-i --as says the same, of all that it can ask about',
  async () => {
    const version = kubernetesVersions.find((known) => known === cluster.version) ?? defaultKubernetesVersion;
    const folder = await findKubectl(version, (line) => process.stderr.write(`  ${line}\n`));
    await using kubectl = await kubectlFor(cluster.client.kubeConfigYaml(), folder);
    try {
      await defineCustomResources();
      const expected: string[] = [];
      const said: string[] = [];
      for (const { what, may, caller = 'web', attributes } of scenarios) {
        const question = typed(attributes);
        if (question === undefined) continue;
        const { stdout, exitCode } = await kubectl.run(`kubectl auth can-i ${question} --as '${usernames[caller]}'`);
        expected.push(`${what}: ${may ? 'yes 0' : 'no 1'}`);
        // It may say why, and warns of verbs that Kubernetes itself has not.
        said.push(`${what}: ${stdout.split(/\s/)[0]} ${exitCode}`);
      }
      expect(said).toEqual(expected);
      expect(said.length).toBeGreaterThanOrEqual(50);
    } finally {
      for (const plural of customResources) await cluster.client.request('DELETE', `${crds}/${plural}.${group}`);
    }
  },
  600_000,
);
