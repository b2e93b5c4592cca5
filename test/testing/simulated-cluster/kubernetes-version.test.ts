import { expect, test } from '@jest/globals';

import { type KubernetesVersion, VERSION_TRAITS } from '../../../src/testing/simulated-cluster/kubernetes-version.ts';
import { startSimulatedCluster } from '../../../src/testing/simulated-cluster/simulated-cluster.ts';

const REVIEWS = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
const ROLES = '/apis/rbac.authorization.k8s.io/v1/clusterroles';
const BINDINGS = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
const exactlyOne = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
const notBoth = 'cannot be specified in combination with resourceAttributes';

interface Words {
  readonly metadata: object;
  readonly neither: string;
  readonly both: string;
  readonly rule: string;
  readonly selector: string;
  readonly roleRef: string;
  readonly lost: string;
}

// As kube-apiservers of these versions answered.
test.each<[KubernetesVersion, Words]>([
  [
    '1.33',
    {
      metadata: { creationTimestamp: null },
      neither: `spec.resourceAttributes: Invalid value: "null": ${exactlyOne}`,
      both: `spec.nonResourceAttributes: Invalid value: authorization.NonResourceAttributes{Path:"", Verb:"get"}: ${notBoth}`,
      rule: 'nonResourceURLs: Invalid value: []string{"/x"}: rules cannot apply',
      selector: 'Invalid value: "null": invalid label selector.',
      roleRef:
        'Invalid value: rbac.RoleRef{APIGroup:"rbac.authorization.k8s.io", Kind:"ClusterRole", Name:"b"}: cannot change',
      lost: 'RBAC: clusterrole.rbac',
    },
  ],
  [
    '1.36',
    {
      metadata: {},
      neither: `spec.resourceAttributes: Invalid value: null: ${exactlyOne}`,
      both: `spec.nonResourceAttributes: Invalid value: {"Path":"","Verb":"get"}: ${notBoth}`,
      rule: 'nonResourceURLs: Invalid value: ["/x"]: rules cannot apply',
      selector: 'Invalid value: null: invalid label selector.',
      roleRef: 'Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"ClusterRole","Name":"b"}: cannot change',
      lost: 'RBAC: clusterrole.rbac',
    },
  ],
  [
    '1.37',
    {
      metadata: {},
      neither: `spec: Invalid value: null: ${exactlyOne}`,
      both: `spec: Invalid value: {"Path":"","Verb":"get"}: ${exactlyOne}`,
      rule: 'nonResourceURLs: Invalid value: ["/x"]: rules cannot apply',
      selector: 'Invalid value: null: invalid label selector.',
      roleRef:
        'Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"ClusterRole","Name":"b"}: field is immutable',
      lost: 'rbac: RBAC: clusterrole.rbac',
    },
  ],
])('%s answers in its own words', async (version, words) => {
  await using cluster = await startSimulatedCluster({ version });
  const post = async (path: string, content: object): Promise<string> => {
    const { body } = await cluster.request('POST', path, content);
    return (body as { message: string }).message;
  };
  expect((await cluster.request('GET', '/version')).body).toMatchObject({
    gitVersion: VERSION_TRAITS[version].gitVersion,
    minor: version.split('.')[1],
  });
  expect(await post(REVIEWS, { spec: { user: 'a' } })).toContain(words.neither);
  const nonResourceAttributes = { verb: 'get' };
  expect(await post(REVIEWS, { spec: { user: 'a', resourceAttributes: {}, nonResourceAttributes } })).toContain(
    words.both,
  );
  const rule = { verbs: ['get'], apiGroups: [''], resources: ['pods'], nonResourceURLs: ['/x'] };
  expect(await post(ROLES, { metadata: { name: 'a' }, rules: [rule] })).toContain(words.rule);
  const clusterRoleSelectors = [{ matchExpressions: [{ key: 'a', operator: 'Near' }] }];
  expect(await post(ROLES, { metadata: { name: 'a' }, aggregationRule: { clusterRoleSelectors } })).toContain(
    words.selector,
  );
  const lost = { kind: 'Group', name: 'lost' };
  await post(BINDINGS, { metadata: { name: 'a' }, roleRef: { kind: 'ClusterRole', name: 'gone' }, subjects: [lost] });
  const changed = { metadata: { name: 'a' }, roleRef: { kind: 'ClusterRole', name: 'b' } };
  expect((await cluster.request('PUT', `${BINDINGS}/a`, changed)).body).toMatchObject({
    message: expect.stringContaining(words.roleRef),
  });
  const spec = { groups: ['lost'], nonResourceAttributes: { path: '/x', verb: 'get' } };
  const { body } = await cluster.request('POST', REVIEWS, { spec });
  expect(body).toMatchObject({ status: { allowed: false, reason: expect.stringContaining(words.lost) } });
  expect((body as { metadata: object }).metadata).toEqual(words.metadata);
  expect((body as { status: { reason: string } }).status.reason.startsWith(words.lost)).toBe(true);
});

test('since 1.37 required fields of roles and bindings are named last, and without more words', async () => {
  const messages = async (version: KubernetesVersion): Promise<readonly unknown[]> => {
    await using cluster = await startSimulatedCluster({ version });
    const post = (path: string, content: object): ReturnType<typeof cluster.request> =>
      cluster.request('POST', path, { metadata: { name: 'a' }, ...content });
    const answers = [
      await post(ROLES, { rules: [{}] }),
      await post(BINDINGS, { roleRef: { kind: 'Role' }, subjects: [{ kind: 'User' }] }),
    ];
    return answers.map(({ body }) =>
      (body as { details: { causes: readonly { field: string; message: string }[] } }).details.causes.map(
        ({ field, message }) => `${field}: ${message}`,
      ),
    );
  };
  const apiGroup = 'rules[0].apiGroups: Required value: resource rules must supply at least one api group';
  const resource = 'rules[0].resources: Required value: resource rules must supply at least one resource';
  const kind = 'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"';
  const [name, subject] = ['roleRef.name: Required value', 'subjects[0].name: Required value'];
  expect(await messages('1.36')).toEqual([
    ['rules[0].verbs: Required value: verbs must contain at least one value', apiGroup, resource],
    [kind, name, subject],
  ]);
  expect(await messages('1.37')).toEqual([
    [apiGroup, resource, 'rules[0].verbs: Required value'],
    [kind, subject, name],
  ]);
});
