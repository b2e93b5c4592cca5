import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { ApiResponse } from '../../../src/testing/cluster-client/api-connection.ts';
import { SUBDOMAIN_RULE } from '../../../src/testing/simulated-cluster/names.ts';
import { ByVersion, byVersion, forVersion } from '../conformance/by-version.ts';
import { failure, metadataOfReviews } from '../conformance/expected.ts';
import { startTestCluster, type TestCluster } from '../conformance/test-cluster.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const REVIEWS = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
const id = randomBytes(4).toString('hex');
const attic = `attic-${id}`;
const cellar = `cellar-${id}`;

let cluster: TestCluster;
let ghostToken: string;

beforeAll(async () => {
  cluster = await startTestCluster();
  await cluster.client.createNamespace(attic);
  await cluster.client.createNamespace(cellar);
  ghostToken = await (await cluster.client.createServiceAccount(`${attic}/ghost`)).token();
  await role(attic, 'reader', [
    { verbs: ['get'], apiGroups: [''], resources: ['pods', 'pods/log'] },
    { verbs: ['*'], apiGroups: ['orders.example.com'], resources: ['orders'], resourceNames: ['one', 'two'] },
    { verbs: ['update'], apiGroups: ['*'], resources: ['*/status'] },
  ]);
  await role(undefined, `shared-${id}`, [
    { verbs: ['list'], apiGroups: [''], resources: ['*'] },
    { verbs: ['get'], nonResourceURLs: ['/reports/*', '/exact', `/star-${id}*`] },
  ]);
  await role(undefined, `part-${id}`, [{ verbs: ['watch'], apiGroups: [''], resources: ['nodes'] }], { part: id });
  const ghost = { kind: 'ServiceAccount', namespace: attic, name: 'ghost' };
  await binding(attic, 'reader', 'Role', 'reader', [ghost, { kind: 'User', name: 'mary' }]);
  await binding(attic, 'local', 'Role', 'reader', [{ kind: 'ServiceAccount', name: 'homebody' }]);
  await binding(attic, 'shared', 'ClusterRole', `shared-${id}`, [{ kind: 'Group', name: 'tenants' }]);
  await binding(attic, 'dangling', 'Role', 'gone', [{ kind: 'User', name: 'nobody' }]);
  await binding(attic, 'dangling-too', 'ClusterRole', `gone-${id}`, [{ kind: 'User', name: 'nobody' }]);
  await binding(undefined, `shared-${id}`, 'ClusterRole', `shared-${id}`, [{ kind: 'Group', name: `staff-${id}` }]);
  await binding(undefined, `dangling-${id}`, 'ClusterRole', `gone-${id}`, [{ kind: 'Group', name: `lost-${id}` }]);
  // They come last: once they are in force, everything before them is.
  await cluster.client.allow({ user: `last-${id}` }, { verb: 'get', group: '', resource: 'pods', namespace: attic });
  await cluster.client.allow({ user: `last-${id}` }, { verb: 'get', group: '', resource: 'nodes' });
});

afterAll(async () => {
  for (const path of [
    `${RBAC}/clusterroles/shared-${id}`,
    `${RBAC}/clusterroles/part-${id}`,
    `${RBAC}/clusterroles/whole-${id}`,
    `${RBAC}/clusterrolebindings/shared-${id}`,
    `${RBAC}/clusterrolebindings/dangling-${id}`,
    `/api/v1/namespaces/${attic}`,
    `/api/v1/namespaces/${cellar}`,
  ]) {
    await cluster.client.request('DELETE', path);
  }
  await cluster[Symbol.asyncDispose]();
});

async function created(path: string, body: object): Promise<void> {
  const { status, body: answer } = await cluster.client.request('POST', path, body);
  expect({ status, answer }).toMatchObject({ status: 201 });
}

function collection(namespace: string | undefined, resource: string): string {
  return namespace === undefined ? `${RBAC}/cluster${resource}` : `${RBAC}/namespaces/${namespace}/${resource}`;
}

function role(namespace: string | undefined, name: string, rules: readonly object[], labels = {}): Promise<void> {
  return created(collection(namespace, 'roles'), { metadata: { name, labels }, rules });
}

function binding(
  namespace: string | undefined,
  name: string,
  roleKind: string,
  roleName: string,
  subjects: readonly object[],
): Promise<void> {
  const roleRef = { kind: roleKind, name: roleName };
  return created(collection(namespace, 'rolebindings'), { metadata: { name }, roleRef, subjects });
}

async function may(spec: object): Promise<unknown> {
  const { status, body } = await cluster.client.request('POST', REVIEWS, { spec });
  return status === 201 ? (body as { status: unknown }).status : body;
}

/** An answer without what differs from run to run. */
function comparable({ status, body }: ApiResponse): unknown {
  const text = JSON.stringify({ status, body }, (key, value: unknown) => (key === 'managedFields' ? undefined : value));
  return JSON.parse(
    text
      .replaceAll(`-${id}`, '')
      .replaceAll(/"uid":"[^"]+"/g, '"uid":"<uid>"')
      .replaceAll(/"resourceVersion":"\d+"/g, '"resourceVersion":"<version>"')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '<time>'),
  );
}

const ghost = `system:serviceaccount:${attic}:ghost`;
const byReader = (whom: string, name = 'reader'): object => ({
  allowed: true,
  reason: `RBAC: allowed by RoleBinding "${name}/${attic}" of Role "reader" to ${whom}`,
});
const bySharedHere = {
  allowed: true,
  reason: `RBAC: allowed by RoleBinding "shared/${attic}" of ClusterRole "shared-${id}" to Group "tenants"`,
};
const byShared = {
  allowed: true,
  reason: `RBAC: allowed by ClusterRoleBinding "shared-${id}" of ClusterRole "shared-${id}" to Group "staff-${id}"`,
};
const denied = { allowed: false };
const roleIsGone = `RBAC: clusterrole.rbac.authorization.k8s.io "gone-${id}" not found`;
const toGhost = `ServiceAccount "ghost/${attic}"`;
const orders = { group: 'orders.example.com', resource: 'orders', namespace: attic };

describe('A SubjectAccessReview is decided by the roles and bindings', () => {
  test.each<[string, object, object]>([
    ['a Role', { user: ghost, r: { verb: 'get', resource: 'pods', namespace: attic } }, byReader(toGhost)],
    ['a user', { user: 'mary', r: { verb: 'get', resource: 'pods', namespace: attic } }, byReader('User "mary"')],
    [
      'a ServiceAccount without a namespace, which is that of the binding',
      { user: `system:serviceaccount:${attic}:homebody`, r: { verb: 'get', resource: 'pods', namespace: attic } },
      byReader(`ServiceAccount "homebody/${attic}"`, 'local'),
    ],
    ['another verb', { user: ghost, r: { verb: 'list', resource: 'pods', namespace: attic } }, denied],
    ['another group', { user: ghost, r: { verb: 'get', group: 'x', resource: 'pods', namespace: attic } }, denied],
    ['another resource', { user: ghost, r: { verb: 'get', resource: 'secrets', namespace: attic } }, denied],
    ['another namespace', { user: ghost, r: { verb: 'get', resource: 'pods', namespace: cellar } }, denied],
    ['the whole cluster', { user: ghost, r: { verb: 'get', resource: 'pods' } }, denied],
    ['a user of another case', { user: 'Mary', r: { verb: 'get', resource: 'pods', namespace: attic } }, denied],
    ['a name', { user: ghost, r: { verb: 'get', resource: 'pods', namespace: attic, name: 'p' } }, byReader(toGhost)],
    [
      'a subresource',
      { user: ghost, r: { verb: 'get', resource: 'pods', subresource: 'log', namespace: attic } },
      byReader(toGhost),
    ],
    [
      'a subresource that is not named',
      { user: ghost, r: { verb: 'get', resource: 'pods', subresource: 'exec', namespace: attic } },
      denied,
    ],
    [
      'a subresource of any resource',
      { user: ghost, r: { verb: 'update', group: 'x', resource: 'y', subresource: 'status', namespace: attic } },
      byReader(toGhost),
    ],
    [
      'the resource of such a subresource',
      { user: ghost, r: { verb: 'update', group: 'x', resource: 'y', namespace: attic } },
      denied,
    ],
    ['a resourceName', { user: ghost, r: { verb: 'ship', ...orders, name: 'two' } }, byReader(toGhost)],
    ['another name', { user: ghost, r: { verb: 'ship', ...orders, name: 'three' } }, denied],
    ['no name where names are asked for', { user: ghost, r: { verb: 'list', ...orders } }, denied],
    ['* in what is asked for', { user: ghost, r: { verb: '*', ...orders, name: 'one' } }, byReader(toGhost)],
    ['* for a resource', { user: ghost, r: { verb: 'get', resource: '*', namespace: attic } }, denied],
    [
      'a ClusterRole bound in a namespace',
      { user: 'x', groups: ['tenants'], r: { verb: 'list', resource: 'secrets', namespace: attic } },
      bySharedHere,
    ],
    [
      'a ClusterRole bound in another namespace',
      { user: 'x', groups: ['tenants'], r: { verb: 'list', resource: 'secrets', namespace: cellar } },
      denied,
    ],
    [
      'a path by a ClusterRole bound in a namespace',
      { user: 'x', groups: ['tenants'], n: { verb: 'get', path: '/reports/1' } },
      denied,
    ],
    [
      'a ClusterRoleBinding',
      { user: 'x', groups: [`staff-${id}`], r: { verb: 'list', resource: 'pods', namespace: cellar } },
      byShared,
    ],
    [
      '* of resources, for a subresource',
      { groups: [`staff-${id}`], r: { verb: 'list', resource: 'a', subresource: 'b' } },
      byShared,
    ],
    ['a path below', { groups: [`staff-${id}`], n: { verb: 'get', path: '/reports/2026/1' } }, byShared],
    [
      'the path itself, of a * after a slash',
      { groups: [`staff-${id}`], n: { verb: 'get', path: '/reports' } },
      denied,
    ],
    ['a path that begins so', { groups: [`staff-${id}`], n: { verb: 'get', path: `/star-${id}x/y` } }, byShared],
    ['an exact path', { groups: [`staff-${id}`], n: { verb: 'get', path: '/exact' } }, byShared],
    ['a path below an exact one', { groups: [`staff-${id}`], n: { verb: 'get', path: '/exact/' } }, denied],
    ['another verb on a path', { groups: [`staff-${id}`], n: { verb: 'post', path: '/exact' } }, denied],
    [
      'a binding to roles that are gone',
      { user: 'nobody', r: { verb: 'get', resource: 'pods', namespace: attic } },
      {
        allowed: false,
        reason: expect.stringMatching(
          new RegExp(
            `^(rbac: )?RBAC: \\[(?=.*\\brole.rbac.authorization.k8s.io "gone" not found)(?=.*clusterrole.rbac.authorization.k8s.io "gone-${id}" not found).*\\]$`,
          ),
        ),
      },
    ],
    [
      'a binding to a role that is gone',
      { groups: [`lost-${id}`], n: { verb: 'get', path: '/x' } },
      byVersion({ '1.37': { allowed: false, reason: `rbac: ${roleIsGone}` } }, { allowed: false, reason: roleIsGone }),
    ],
    ['a master', { user: 'root', groups: ['system:masters'], r: { verb: 'x', resource: 'y' } }, { allowed: true }],
    [
      'the health, for anybody',
      { user: 'x', groups: ['system:unauthenticated'], n: { verb: 'get', path: '/healthz' } },
      {
        allowed: true,
        reason:
          'RBAC: allowed by ClusterRoleBinding "system:public-info-viewer" of ClusterRole "system:public-info-viewer" to Group "system:unauthenticated"',
      },
    ],
    [
      'the keys, for a ServiceAccount',
      { user: 'x', groups: ['system:serviceaccounts'], n: { verb: 'get', path: '/openid/v1/jwks' } },
      {
        allowed: true,
        reason:
          'RBAC: allowed by ClusterRoleBinding "system:service-account-issuer-discovery" of ClusterRole "system:service-account-issuer-discovery" to Group "system:serviceaccounts"',
      },
    ],
  ])('%s', async (_what, asked, expected) => {
    const { r: resourceAttributes, n: nonResourceAttributes, ...who } = asked as Record<string, unknown>;
    const { version } = cluster;
    const answer = await may({ ...who, resourceAttributes, nonResourceAttributes });
    expect(answer).toEqual(expected instanceof ByVersion ? forVersion(expected, version) : expected);
  });
});

test("A caller's own rights come from the same roles, and the refusal says what stands in the way", async () => {
  const get = (path: string): Promise<ApiResponse> =>
    cluster.client.request('GET', path, undefined, { token: ghostToken });

  const lost = { 'impersonate-user': 'x', 'impersonate-group': `lost-${id}` };
  const { body: refusal } = await cluster.client.request('GET', '/x', undefined, { headers: lost });
  const message = `forbidden: User "x" cannot get path "/x": ${roleIsGone}`;
  const byAuthorizer = message.replace('RBAC', 'rbac: RBAC');
  expect(refusal).toMatchObject({ message: forVersion(byVersion({ '1.37': byAuthorizer }, message), cluster.version) });
  expect((await get(`/api/v1/namespaces/${attic}/pods/nope`)).status).toBe(404);
  expect(comparable(await get(`/api/v1/namespaces/${cellar}/pods/nope`))).toMatchObject({
    status: 403,
    body: {
      message:
        'pods "nope" is forbidden: User "system:serviceaccount:attic:ghost" cannot get resource "pods" in API group "" in the namespace "cellar"',
    },
  });
});

test('A withdrawn right is gone: by the binding, or by the role', async () => {
  await role(attic, 'brief', [{ verbs: ['get'], apiGroups: ['brief.example.com'], resources: ['x'] }]);
  await binding(attic, 'brief', 'Role', 'brief', [{ kind: 'User', name: 'brief' }]);
  const attributes = { verb: 'get', group: 'brief.example.com', resource: 'x', namespace: attic };
  const status = (): Promise<unknown> => may({ user: 'brief', resourceAttributes: attributes });
  const becomes = async (allowed: boolean): Promise<void> => {
    for (let tries = 0; tries < 100; tries += 1) {
      if (((await status()) as { allowed: boolean }).allowed === allowed) return;
      await sleep(20);
    }
    expect(await status()).toMatchObject({ allowed });
  };
  await becomes(true);
  const path = `${RBAC}/namespaces/${attic}/roles/brief`;
  await cluster.client.request('PUT', path, { metadata: { name: 'brief' }, rules: [] });
  await becomes(false);
  const rules = [{ verbs: ['get'], apiGroups: ['*'], resources: ['*'] }];
  await cluster.client.request('PUT', path, { metadata: { name: 'brief' }, rules });
  await becomes(true);
  await cluster.client.request('DELETE', `${RBAC}/namespaces/${attic}/rolebindings/brief`);
  await becomes(false);
});

const RULE = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };

describe('Roles and bindings are kept as they are sent, or refused', () => {
  test.each<[string, string, () => string, object | undefined]>([
    ['a Role without rules', 'POST', () => collection(attic, 'roles'), { metadata: { name: 'bare' } }],
    ['a Role that is there', 'POST', () => collection(attic, 'roles'), { metadata: { name: 'reader' } }],
    ['a slash in a name', 'POST', () => collection(undefined, 'roles'), { metadata: { name: 'a/b' } }],
    ['dots for a name', 'POST', () => collection(undefined, 'roles'), { metadata: { name: '..' } }],
    [
      'an aggregation of nothing',
      'POST',
      () => collection(undefined, 'roles'),
      { metadata: { name: 'a' }, aggregationRule: {} },
    ],
    [
      'a Role in a namespace that is not there',
      'POST',
      () => collection('nowhere', 'roles'),
      { metadata: { name: 'a' } },
    ],
    ['a Role in no namespace', 'POST', () => `${RBAC}/roles`, { metadata: { name: 'a' } }],
    ['a binding without a role', 'POST', () => collection(attic, 'rolebindings'), { metadata: { name: 'a' } }],
    [
      'a binding with all kinds of subjects',
      'POST',
      () => collection(attic, 'rolebindings'),
      {
        metadata: { name: 'whole' },
        roleRef: { kind: 'Role', name: 'reader' },
        subjects: [
          { kind: 'User', name: 'a' },
          { kind: 'Group', name: 'b' },
          { kind: 'ServiceAccount', name: 'c' },
        ],
      },
    ],
    [
      'a ClusterRoleBinding to a Role',
      'POST',
      () => collection(undefined, 'rolebindings'),
      {
        metadata: { name: 'a' },
        roleRef: { apiGroup: 'x', kind: 'Role', name: 'y' },
        subjects: [{ kind: 'ServiceAccount', name: 'a' }],
      },
    ],
    [
      'a PUT of a Role that is not there',
      'PUT',
      () => `${collection(attic, 'roles')}/new`,
      { metadata: { name: 'new' } },
    ],
    ['a Role that is not there', 'GET', () => `${collection(attic, 'roles')}/nope`, undefined],
    ['the deletion of a Role that is not there', 'DELETE', () => `${collection(attic, 'roles')}/nope`, undefined],
    ['a binding', 'GET', () => `${collection(attic, 'rolebindings')}/reader`, undefined],
    ['a list', 'GET', () => `${collection(attic, 'rolebindings')}?fieldSelector=metadata.name=reader`, undefined],
    ['a role of every cluster', 'GET', () => `${RBAC}/clusterroles/system:auth-delegator`, undefined],
    ['a binding of every cluster', 'GET', () => `${RBAC}/clusterrolebindings/cluster-admin`, undefined],
    ['an unknown resource of the group', 'GET', () => `${RBAC}/foos`, undefined],
    ['an unknown version of the group', 'GET', () => '/apis/rbac.authorization.k8s.io/v9/roles', undefined],
    [
      'a LocalSubjectAccessReview without a namespace',
      'POST',
      () => '/apis/authorization.k8s.io/v1/localsubjectaccessreviews',
      {},
    ],
  ])('%s', async (_what, method, path, body) => {
    expect(comparable(await cluster.client.request(method, path(), body))).toMatchSnapshot();
  });

  test('a deletion', async () => {
    await role(attic, 'short-lived', []);
    const path = `${collection(attic, 'roles')}/short-lived`;
    expect(comparable(await cluster.client.request('DELETE', path))).toMatchObject({
      status: 200,
      body: { status: 'Success', details: { name: 'short-lived', group: 'rbac.authorization.k8s.io', kind: 'roles' } },
    });
    expect((await cluster.client.request('GET', path)).status).toBe(404);
  });
});

const noApiGroup = 'rules[0].apiGroups: Required value: resource rules must supply at least one api group';
const noResource = 'rules[0].resources: Required value: resource rules must supply at least one resource';
const noVerb = 'rules[0].verbs: Required value: verbs must contain at least one value';
const otherKind = 'roleRef.kind: Unsupported value: "Foo": supported values: "Role", "ClusterRole"';
const otherSubjects = [
  `subjects[1].name: Invalid value: "A_": ${SUBDOMAIN_RULE}`,
  'subjects[2].kind: Unsupported value: "Foo": supported values: "ServiceAccount", "User", "Group"',
  'subjects[3].apiGroup: Unsupported value: "x": supported values: "rbac.authorization.k8s.io"',
  'subjects[4].apiGroup: Unsupported value: "x": supported values: ""',
];
const nameless = ['subjects[0].name: Required value', 'roleRef.name: Required value'];
const isPath = 'namespaced rules cannot apply to non-resource URLs';
const isBoth = 'rules cannot apply to both regular resources and non-resource URLs';
const selector = 'aggregationRule.clusterRoleSelectors[0]';
const operator = `${selector}.matchExpressions[0].operator: Invalid value: "Foo": not a valid selector operator`;
const newRole = '{"APIGroup":"rbac.authorization.k8s.io","Kind":"Role","Name":"other"}';
const newRoleInGo = 'rbac.RoleRef{APIGroup:"rbac.authorization.k8s.io", Kind:"Role", Name:"other"}';

describe('Versions refuse in words of their own', () => {
  test.each<[string, string, readonly string[] | ByVersion, object]>([
    [
      'an empty rule',
      'Role',
      byVersion({ '1.37': [noApiGroup, noResource, 'rules[0].verbs: Required value'] }, [
        noVerb,
        noApiGroup,
        noResource,
      ]),
      { rules: [{}] },
    ],
    [
      'a rule without verbs',
      'Role',
      byVersion({ '1.37': ['rules[0].verbs: Required value'] }, [noVerb]),
      { rules: [{ ...RULE, verbs: [] }] },
    ],
    [
      'a path in a Role',
      'Role',
      byVersion({ '1.33': [`rules[0].nonResourceURLs: Invalid value: []string{"/x"}: ${isPath}`] }, [
        `rules[0].nonResourceURLs: Invalid value: ["/x"]: ${isPath}`,
      ]),
      { rules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }] },
    ],
    [
      'a rule of both kinds',
      'ClusterRole',
      byVersion({ '1.33': [`rules[0].nonResourceURLs: Invalid value: []string{"/x", "/y"}: ${isBoth}`] }, [
        `rules[0].nonResourceURLs: Invalid value: ["/x","/y"]: ${isBoth}`,
      ]),
      { rules: [{ ...RULE, nonResourceURLs: ['/x', '/y'] }] },
    ],
    [
      'an aggregation by nonsense',
      'ClusterRole',
      byVersion({ '1.33': [operator, `${selector}: Invalid value: "null": invalid label selector.`] }, [
        operator,
        `${selector}: Invalid value: null: invalid label selector.`,
      ]),
      { aggregationRule: { clusterRoleSelectors: [{ matchExpressions: [{ key: 'c', operator: 'Foo' }] }] } },
    ],
    [
      'a binding with wrong subjects',
      'RoleBinding',
      byVersion({ '1.37': [otherKind, ...otherSubjects, ...nameless] }, [
        otherKind,
        ...nameless.toReversed(),
        ...otherSubjects,
      ]),
      {
        roleRef: { kind: 'Foo', name: '' },
        subjects: [
          { kind: 'User' },
          { kind: 'ServiceAccount', name: 'A_' },
          { kind: 'Foo', name: 'g' },
          { kind: 'User', apiGroup: 'x', name: 'j' },
          { kind: 'ServiceAccount', apiGroup: 'x', name: 'j' },
        ],
      },
    ],
  ])('%s', async (_what, kind, problems, content) => {
    const resource = `${kind.replace('Cluster', '').toLowerCase()}s`;
    const path = collection(kind.startsWith('Cluster') ? undefined : attic, resource);
    const answer = await cluster.client.request('POST', path, { metadata: { name: 'a' }, ...content });
    expect(comparable(answer)).toEqual(invalid(kind, 'a', problems));
  });

  test('another role for a binding', async () => {
    const problems = byVersion(
      {
        '1.33': [`roleRef: Invalid value: ${newRoleInGo}: cannot change roleRef`],
        '1.37': [`roleRef: Invalid value: ${newRole}: field is immutable`],
      },
      [`roleRef: Invalid value: ${newRole}: cannot change roleRef`],
    );
    const answer = await cluster.client.request('PUT', `${collection(attic, 'rolebindings')}/reader`, {
      metadata: { name: 'reader' },
      roleRef: { kind: 'Role', name: 'other' },
    });
    expect(comparable(answer)).toEqual(invalid('RoleBinding', 'reader', problems));
  });

  test('a LocalSubjectAccessReview', async () => {
    const spec = { user: 'mary', resourceAttributes: { verb: 'get', resource: 'pods', namespace: attic } };
    const path = `/apis/authorization.k8s.io/v1/namespaces/${attic}/localsubjectaccessreviews`;
    const expected = {
      kind: 'LocalSubjectAccessReview',
      apiVersion: 'authorization.k8s.io/v1',
      metadata: { ...Object(forVersion(metadataOfReviews, cluster.version)), namespace: attic },
      spec,
      status: byReader('User "mary"'),
    };
    const { status, body, headers } = await cluster.client.request('POST', path, { spec });
    expect(comparable({ status, body, headers })).toEqual(comparable({ status: 201, body: expected, headers }));
  });

  const REASONS: Readonly<Record<string, string>> = {
    Invalid: 'FieldValueInvalid',
    Required: 'FieldValueRequired',
    Unsupported: 'FieldValueNotSupported',
  };

  /** A problem is `field: message`, and its reason is the message's first word. */
  function invalid(kind: string, name: string, problems: readonly string[] | ByVersion): object {
    const found = forVersion(problems, cluster.version) as readonly string[];
    const group = 'rbac.authorization.k8s.io';
    const causes = found.map((problem) => {
      const { field, message, word = '' } = /^(?<field>\S+): (?<message>(?<word>\w+) .*)$/.exec(problem)?.groups ?? {};
      return { field, message, reason: REASONS[word] };
    });
    const why = found.length === 1 ? found.join() : `[${found.join(', ')}]`;
    const { http: status, body } = failure(422, 'Invalid', `${kind}.${group} "${name}" is invalid: ${why}`, {
      name,
      group,
      kind,
      causes,
    });
    return { status, body };
  }
});
