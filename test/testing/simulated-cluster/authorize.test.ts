import { expect, test } from '@jest/globals';

import type { PolicyRule } from '../../../src/testing/cluster-client/kubernetes-object.ts';
import { aggregateRoles } from '../../../src/testing/simulated-cluster/aggregate-roles.ts';
import { authorize, isMaster } from '../../../src/testing/simulated-cluster/authorize.ts';
import {
  CLUSTER_ROLE,
  CLUSTER_ROLE_BINDING,
  type Kind,
  ROLE,
  ROLE_BINDING,
} from '../../../src/testing/simulated-cluster/kinds.ts';
import { VERSION_TRAITS } from '../../../src/testing/simulated-cluster/kubernetes-version.ts';
import { Store } from '../../../src/testing/simulated-cluster/store.ts';

const version = VERSION_TRAITS['1.36'];
const getPods: PolicyRule = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
const asked = { verb: 'get', group: '', resource: 'pods', subresource: '', namespace: 'shop', name: 'a' };
const jane = { username: 'jane', groups: ['humans'] };

function store(...objects: readonly (readonly [Kind, object])[]): Store {
  const result = new Store();
  for (const [kind, content] of objects) {
    const { name = 'a', labels = {}, ...rest } = content as { name?: string; labels?: Record<string, string> };
    const metadata = { name, labels, uid: 'u', resourceVersion: '', creationTimestamp: 'now' };
    const namespace = kind.namespaced ? { namespace: 'shop' } : {};
    result.create(kind, { kind: kind.kind, apiVersion: 'v1', metadata: { ...metadata, ...namespace }, ...rest });
  }
  return result;
}

const toJane = { roleRef: { kind: 'Role', name: 'a' }, subjects: [{ kind: 'User', name: 'jane' }] };

test('whoever is among the masters may do anything', () => {
  const root = { username: 'root', groups: ['system:masters'] };
  expect(isMaster(root)).toBe(true);
  expect(isMaster(jane)).toBe(false);
  expect(authorize(root, asked, { store: store(), version })).toEqual({ allowed: true, reason: '' });
});

test('a Role gives what a binding in its namespace passes on', () => {
  const rights = { store: store([ROLE, { rules: [getPods] }], [ROLE_BINDING, toJane]), version };
  expect(authorize(jane, asked, rights)).toEqual({
    allowed: true,
    reason: 'RBAC: allowed by RoleBinding "a/shop" of Role "a" to User "jane"',
  });
  expect(authorize(jane, { ...asked, namespace: '' }, rights)).toEqual({ allowed: false, reason: '' });
  expect(authorize(jane, { ...asked, verb: 'delete' }, rights).allowed).toBe(false);
  expect(authorize(jane, { verb: 'get', path: '/pods' }, rights).allowed).toBe(false);
});

test('a role without rules, and a binding without subjects, give nothing', () => {
  const rights = {
    store: store([ROLE, { rules: null }], [ROLE_BINDING, toJane], [ROLE_BINDING, { name: 'b' }]),
    version,
  };
  expect(authorize(jane, asked, rights)).toEqual({ allowed: false, reason: '' });
});

test.each([
  [{ kind: 'Group', name: 'humans' }, jane, true],
  [{ kind: 'Group', name: 'robots' }, jane, false],
  [{ kind: 'ServiceAccount', name: 'web' }, { username: 'system:serviceaccount:shop:web', groups: [] }, true],
  [
    { kind: 'ServiceAccount', name: 'web', namespace: 'x' },
    { username: 'system:serviceaccount:x:web', groups: [] },
    true,
  ],
  [
    { kind: 'ServiceAccount', name: 'web', namespace: 'x' },
    { username: 'system:serviceaccount:shop:web', groups: [] },
    false,
  ],
])('a binding to %j is for %j: %s', (subject, user, allowed) => {
  const binding = { roleRef: { kind: 'Role', name: 'a' }, subjects: [subject] };
  const rights = { store: store([ROLE, { rules: [getPods] }], [ROLE_BINDING, binding]), version };
  expect(authorize(user, asked, rights).allowed).toBe(allowed);
});

test('a ServiceAccount in a ClusterRoleBinding must say where it is', () => {
  const binding = { roleRef: { kind: 'ClusterRole', name: 'a' }, subjects: [{ kind: 'ServiceAccount', name: 'web' }] };
  const rights = { store: store([CLUSTER_ROLE, { rules: [getPods] }], [CLUSTER_ROLE_BINDING, binding]), version };
  expect(authorize({ username: 'system:serviceaccount::web', groups: [] }, asked, rights).allowed).toBe(false);
});

test('roles that are missing are named, once each, and by the authorizer since 1.37', () => {
  const gone = { roleRef: { kind: 'ClusterRole', name: 'gone' }, subjects: toJane.subjects };
  const one = store([CLUSTER_ROLE_BINDING, gone], [CLUSTER_ROLE_BINDING, { ...gone, name: 'b' }]);
  const missing = 'clusterrole.rbac.authorization.k8s.io "gone" not found';
  expect(authorize(jane, asked, { store: one, version }).reason).toBe(`RBAC: ${missing}`);
  const two = store([CLUSTER_ROLE_BINDING, gone], [ROLE_BINDING, toJane]);
  const both = `[${missing}, role.rbac.authorization.k8s.io "a" not found]`;
  expect(authorize(jane, asked, { store: two, version }).reason).toBe(`RBAC: ${both}`);
  const since137 = { store: two, version: VERSION_TRAITS['1.37'] };
  expect(authorize(jane, asked, since137).reason).toBe(`rbac: RBAC: ${both}`);
});

test('an aggregated ClusterRole has the rules of those that it chooses, and of no others', () => {
  const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { part: 'yes' } }] };
  const nodes = { ...getPods, resources: ['nodes'] };
  const roles = store(
    [CLUSTER_ROLE, { name: 'whole', aggregationRule, rules: [nodes], labels: { part: 'yes' } }],
    [CLUSTER_ROLE, { name: 'part', rules: [getPods], labels: { part: 'yes' } }],
    [CLUSTER_ROLE, { name: 'part-too', rules: [getPods], labels: { part: 'yes' } }],
    [CLUSTER_ROLE, { name: 'empty', rules: null, labels: { part: 'yes' } }],
    [CLUSTER_ROLE, { name: 'other', rules: [nodes] }],
    [CLUSTER_ROLE, { name: 'nothing', aggregationRule: {} }],
  );
  aggregateRoles(roles);
  expect(roles.get(CLUSTER_ROLE, undefined, 'whole')?.rules).toEqual([getPods]);
  const { version: before } = roles;
  aggregateRoles(roles);
  expect(roles.version).toBe(before);
});
