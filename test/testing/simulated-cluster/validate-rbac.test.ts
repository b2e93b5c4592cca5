import { expect, test } from '@jest/globals';

import { CLUSTER_ROLE, type Kind, ROLE, ROLE_BINDING } from '../../../src/testing/simulated-cluster/kinds.ts';
import { VERSION_TRAITS } from '../../../src/testing/simulated-cluster/kubernetes-version.ts';
import type { ObjectInput } from '../../../src/testing/simulated-cluster/object-schema.ts';
import {
  changedRoleRef,
  wrongRbacContent,
  wrongRbacName,
} from '../../../src/testing/simulated-cluster/validate-rbac.ts';

const version = VERSION_TRAITS['1.36'];

function problems(kind: Kind, object: ObjectInput): readonly string[] {
  return wrongRbacContent(kind, object, version).map(({ field, message }) => `${field}: ${message}`);
}

test('a name may be anything but what a path cannot hold', () => {
  expect(wrongRbacName('System:Any_Thing')).toEqual([]);
  expect(wrongRbacName('a/b')).toMatchObject([{ message: 'Invalid value: "a/b": may not contain \'/\'' }]);
  expect(wrongRbacName('a%b')).toMatchObject([{ message: 'Invalid value: "a%b": may not contain \'%\'' }]);
  expect(wrongRbacName('.')).toMatchObject([{ message: 'Invalid value: ".": may not be \'.\'' }]);
});

test('roles without rules, with good ones, or with selectors that mean something pass', () => {
  const rules = [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }];
  expect(problems(ROLE, {})).toEqual([]);
  expect(problems(ROLE, { rules })).toEqual([]);
  expect(problems(CLUSTER_ROLE, { rules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }] })).toEqual([]);
  const clusterRoleSelectors = [{ matchLabels: { a: 'b' } }, { matchExpressions: [{ key: 'a', operator: 'Exists' }] }];
  expect(problems(CLUSTER_ROLE, { aggregationRule: { clusterRoleSelectors } })).toEqual([]);
});

test('a path in a Role that also has resources is wrong twice', () => {
  expect(problems(ROLE, { rules: [{ verbs: [], resources: ['pods'], nonResourceURLs: ['/x'] }] })).toEqual([
    'rules[0].verbs: Required value: verbs must contain at least one value',
    'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
    'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
  ]);
});

test('a binding needs a role that can be, and subjects that can be', () => {
  expect(problems(ROLE_BINDING, {})).toEqual([
    'roleRef.kind: Unsupported value: "": supported values: "Role", "ClusterRole"',
    'roleRef.name: Required value',
  ]);
  const roleRef = { kind: 'Role', name: 'a/b' };
  expect(
    problems(ROLE_BINDING, {
      roleRef,
      subjects: [
        { kind: 'Group', name: '' },
        { kind: 'Team', name: '' },
      ],
    }),
  ).toEqual([
    'roleRef.name: Invalid value: "a/b": may not contain \'/\'',
    'subjects[0].name: Required value',
    'subjects[1].name: Required value',
    'subjects[1].kind: Unsupported value: "Team": supported values: "ServiceAccount", "User", "Group"',
  ]);
});

test('the role of a binding stays', () => {
  const metadata = { name: 'a', uid: 'u', resourceVersion: '1', creationTimestamp: 'now' };
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' };
  const current = { kind: 'RoleBinding', apiVersion: 'v1', metadata, roleRef };
  expect(changedRoleRef(current, { roleRef }, version)).toEqual([]);
  for (const change of [{ kind: 'ClusterRole' }, { name: 'writer' }, { apiGroup: 'x' }]) {
    expect(changedRoleRef(current, { roleRef: { ...roleRef, ...change } }, version)).toHaveLength(1);
  }
  expect(changedRoleRef(current, {}, version)).toMatchObject([
    { field: 'roleRef', message: 'Invalid value: {"APIGroup":"","Kind":"","Name":""}: cannot change roleRef' },
  ]);
});
