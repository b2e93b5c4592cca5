import type { Rule, Subject } from '../../../src/testing/cluster-client/access.ts';
import { byVersion } from '../conformance/by-version.ts';
import { type Expected, failure, metadataOfReviews } from '../conformance/expected.ts';
import type { Scenario } from '../conformance/scenario.ts';
import type { Scene } from '../conformance/scene.ts';

const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
const group = 'orders.example.com';

interface Question {
  readonly user?: string;
  readonly groups?: readonly string[];
  readonly resourceAttributes?: object;
  readonly nonResourceAttributes?: object;
}

/** What `subject` may do, and what is asked about it. */
function asked(
  question: (scene: Scene) => Question,
  ...grants: readonly ((scene: Scene) => readonly [Subject, Rule])[]
): Scenario['situation'] {
  return async (scene) => {
    await scene.serviceAccount();
    for (const grant of grants) await scene.cluster.client.allow(...grant(scene));
    return { call: { method: 'POST', path, body: { spec: question(scene) }, token: scene.reviewerToken } };
  };
}

const web = (scene: Scene): string => `system:serviceaccount:${scene.namespace}:web`;
const user = 'system:serviceaccount:shop:web';

function answer(spec: Question, status: object): Expected {
  return {
    answer: {
      http: 201,
      body: {
        kind: 'SubjectAccessReview',
        apiVersion: 'authorization.k8s.io/v1',
        metadata: metadataOfReviews,
        spec,
        status,
      },
    },
  };
}

/** By a role that `allow` made. */
function allowed(spec: Question, { scope, to }: { scope: 'Role' | 'ClusterRole'; to: string }): Expected {
  const binding = scope === 'Role' ? 'granted-<random>/shop' : 'granted-<random>';
  const reason = `RBAC: allowed by ${scope}Binding "${binding}" of ${scope} "granted-<random>" to ${to}`;
  return answer(spec, { allowed: true, reason });
}

const denied = (spec: Question): Expected => answer(spec, { allowed: false });
const toWeb = 'ServiceAccount "web/shop"';

/** May `web` do that with the virtual resource `orders` in `shop`, where it may get them? */
function ofOrders(name: string, attributes: object, expected: (spec: Question) => Expected): Scenario {
  const own = { namespace: 'shop', verb: 'get', group, resource: 'orders', ...attributes };
  const sent = (scene: Scene): object => ({
    ...own,
    ...(own.namespace === 'shop' && { namespace: scene.namespace }),
  });
  return {
    name,
    situation: asked(
      (scene) => ({ user: web(scene), resourceAttributes: sent(scene) }),
      (scene) => [`${scene.namespace}/web`, { verb: 'get', group, resource: 'orders', namespace: scene.namespace }],
    ),
    expected: expected({ user, resourceAttributes: own }),
  };
}

/** May `web` do that, where it has that right in all namespaces? */
function byClusterRole(
  name: string,
  rule: Rule,
  attributes: { readonly resourceAttributes: object } | { readonly nonResourceAttributes: object },
  isAllowed: boolean,
): Scenario {
  const spec = { user, ...attributes };
  return {
    name,
    situation: asked(
      (scene) => ({ ...attributes, user: web(scene) }),
      (scene) => [`${scene.namespace}/web`, rule],
    ),
    expected: isAllowed ? allowed(spec, { scope: 'ClusterRole', to: toWeb }) : denied(spec),
  };
}

const get = { verb: 'get', group, resource: 'orders' };
interface Problem {
  readonly field: string;
  readonly message: string;
}

function invalid(...problems: readonly Problem[]): { readonly http: number; readonly body: object } {
  const all = problems.map(({ field, message }) => `${field}: ${message}`);
  const why = all.length === 1 ? all.join() : `[${all.join(', ')}]`;
  return failure(422, 'Invalid', `.authorization.k8s.io "" is invalid: ${why}`, {
    group: 'authorization.k8s.io',
    causes: problems.map(({ field, message }) => ({ reason: 'FieldValueInvalid', message, field })),
  });
}

const exactlyOne = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
const notBoth = 'cannot be specified in combination with resourceAttributes';
const noUser: Problem = {
  field: 'spec.user',
  message: 'Invalid value: "": at least one of user or group must be specified',
};

/** Of a SubjectAccessReview without attributes, together with other problems. */
function withoutAttributes(...others: readonly Problem[]): Expected {
  const worded = (field: string, value: string): unknown =>
    invalid({ field, message: `Invalid value: ${value}: ${exactlyOne}` }, ...others);
  const versions = { '1.33': worded('spec.resourceAttributes', '"null"'), '1.37': worded('spec', 'null') };
  return { answer: byVersion(versions, worded('spec.resourceAttributes', 'null')) };
}

export const subjectAccessReviews: readonly Scenario[] = [
  ofOrders('a virtual resource, in the namespace of the Role', {}, (spec) =>
    allowed(spec, { scope: 'Role', to: toWeb }),
  ),
  ofOrders('an object of it, by name', { name: 'order-1' }, (spec) => allowed(spec, { scope: 'Role', to: toWeb })),
  ofOrders('another verb', { verb: 'delete' }, denied),
  ofOrders('another namespace', { namespace: 'attic' }, denied),
  ofOrders('no namespace, which means all', { namespace: '' }, (spec) =>
    denied({ ...spec, resourceAttributes: { verb: 'get', group, resource: 'orders' } }),
  ),
  ofOrders('another API group', { group: 'example.com' }, denied),
  ofOrders('another resource', { resource: 'invoices' }, denied),
  ofOrders('a subresource', { subresource: 'status' }, denied),
  ofOrders('any verb', { verb: '*' }, denied),
  ofOrders('any resource', { resource: '*' }, denied),
  {
    name: 'another ServiceAccount',
    situation: asked(
      (scene) => ({
        user: `system:serviceaccount:${scene.namespace}:batch`,
        resourceAttributes: { ...get, namespace: scene.namespace },
      }),
      (scene) => [`${scene.namespace}/web`, { ...get, namespace: scene.namespace }],
    ),
    expected: denied({
      user: 'system:serviceaccount:shop:batch',
      resourceAttributes: { ...get, namespace: 'shop' },
    }),
  },
  byClusterRole('in any namespace by a ClusterRole', get, { resourceAttributes: { ...get, namespace: 'attic' } }, true),
  byClusterRole('across all namespaces by a ClusterRole', get, { resourceAttributes: get }, true),
  byClusterRole(
    'the one object that the rule names',
    { ...get, name: 'order-1' },
    { resourceAttributes: { ...get, name: 'order-1' } },
    true,
  ),
  byClusterRole(
    'another object than the rule names',
    { ...get, name: 'order-1' },
    { resourceAttributes: { ...get, name: 'order-2' } },
    false,
  ),
  byClusterRole('no object, where the rule names one', { ...get, name: 'order-1' }, { resourceAttributes: get }, false),
  byClusterRole(
    'a subresource that the rule names',
    { ...get, resource: 'orders/status' },
    { resourceAttributes: { ...get, subresource: 'status' } },
    true,
  ),
  byClusterRole(
    'the resource, where the rule names a subresource',
    { ...get, resource: 'orders/status' },
    { resourceAttributes: get },
    false,
  ),
  byClusterRole(
    'a subresource, where the rule names that of all resources',
    { ...get, resource: '*/status' },
    { resourceAttributes: { ...get, subresource: 'status' } },
    true,
  ),
  byClusterRole(
    'a subresource, where the rule names all resources',
    { ...get, resource: '*' },
    { resourceAttributes: { ...get, subresource: 'status' } },
    true,
  ),
  byClusterRole('any verb by a rule', { ...get, verb: '*' }, { resourceAttributes: { ...get, verb: 'sing' } }, true),
  byClusterRole(
    'any API group by a rule',
    { ...get, group: '*' },
    { resourceAttributes: { ...get, group: 'other.example.com' } },
    true,
  ),
  byClusterRole(
    'a path',
    { verb: 'get', path: '/reports' },
    { nonResourceAttributes: { path: '/reports', verb: 'get' } },
    true,
  ),
  byClusterRole(
    'a path below one with an asterisk',
    { verb: 'get', path: '/reports/*' },
    { nonResourceAttributes: { path: '/reports/2026/11', verb: 'get' } },
    true,
  ),
  byClusterRole(
    'the very path before the asterisk',
    { verb: 'get', path: '/reports/*' },
    { nonResourceAttributes: { path: '/reports', verb: 'get' } },
    false,
  ),
  byClusterRole(
    'another path',
    { verb: 'get', path: '/reports' },
    { nonResourceAttributes: { path: '/reports/', verb: 'get' } },
    false,
  ),
  byClusterRole(
    'another verb on a path',
    { verb: 'get', path: '/reports' },
    { nonResourceAttributes: { path: '/reports', verb: 'post' } },
    false,
  ),
  {
    name: 'by a group',
    situation: asked(
      (scene) => ({ groups: [scene.unique('humans')], resourceAttributes: get }),
      (scene) => [{ group: scene.unique('humans') }, get],
    ),
    expected: allowed({ groups: ['humans'], resourceAttributes: get }, { scope: 'ClusterRole', to: 'Group "humans"' }),
  },
  {
    name: 'by a group among several of a user',
    situation: asked(
      (scene) => ({ user: 'jane', groups: ['others', scene.unique('humans')], resourceAttributes: get }),
      (scene) => [{ group: scene.unique('humans') }, get],
    ),
    expected: allowed(
      { user: 'jane', groups: ['others', 'humans'], resourceAttributes: get },
      { scope: 'ClusterRole', to: 'Group "humans"' },
    ),
  },
  {
    name: 'by a user name',
    situation: asked(
      (scene) => ({ user: scene.unique('joe'), resourceAttributes: get }),
      (scene) => [{ user: scene.unique('joe') }, get],
    ),
    expected: allowed({ user: 'joe', resourceAttributes: get }, { scope: 'ClusterRole', to: 'User "joe"' }),
  },
  {
    name: 'a user of whom nobody knows',
    situation: asked(() => ({ user: 'nobody', resourceAttributes: get })),
    expected: denied({ user: 'nobody', resourceAttributes: get }),
  },
  {
    name: 'anything, by system:masters: without a reason',
    situation: asked(() => ({
      groups: ['system:masters'],
      resourceAttributes: { verb: '*', group: '*', resource: '*' },
    })),
    expected: answer(
      { groups: ['system:masters'], resourceAttributes: { verb: '*', group: '*', resource: '*' } },
      { allowed: true },
    ),
  },
  {
    name: 'what every cluster grants: the version, to anybody',
    situation: asked(() => ({
      groups: ['system:unauthenticated'],
      nonResourceAttributes: { path: '/version', verb: 'get' },
    })),
    expected: answer(
      { groups: ['system:unauthenticated'], nonResourceAttributes: { path: '/version', verb: 'get' } },
      {
        allowed: true,
        reason:
          'RBAC: allowed by ClusterRoleBinding "system:public-info-viewer" of ClusterRole "system:public-info-viewer" to Group "system:unauthenticated"',
      },
    ),
  },
  {
    name: 'what every cluster grants: its keys, to ServiceAccounts',
    situation: asked(() => ({
      groups: ['system:serviceaccounts'],
      nonResourceAttributes: { path: '/openid/v1/jwks', verb: 'get' },
    })),
    expected: answer(
      { groups: ['system:serviceaccounts'], nonResourceAttributes: { path: '/openid/v1/jwks', verb: 'get' } },
      {
        allowed: true,
        reason:
          'RBAC: allowed by ClusterRoleBinding "system:service-account-issuer-discovery" of ClusterRole "system:service-account-issuer-discovery" to Group "system:serviceaccounts"',
      },
    ),
  },
  {
    name: 'both kinds of attributes',
    situation: asked(() => ({
      user: 'jane',
      resourceAttributes: get,
      nonResourceAttributes: { path: '/admin', verb: 'get' },
    })),
    expected: {
      answer: byVersion(
        {
          '1.33': invalid({
            field: 'spec.nonResourceAttributes',
            message: `Invalid value: authorization.NonResourceAttributes{Path:"/admin", Verb:"get"}: ${notBoth}`,
          }),
          '1.37': invalid({ field: 'spec', message: `Invalid value: {"Path":"/admin","Verb":"get"}: ${exactlyOne}` }),
        },
        invalid({
          field: 'spec.nonResourceAttributes',
          message: `Invalid value: {"Path":"/admin","Verb":"get"}: ${notBoth}`,
        }),
      ),
    },
  },
  {
    name: 'neither kind of attributes',
    situation: asked(() => ({ user: 'jane' })),
    expected: withoutAttributes(),
  },
  {
    name: 'nobody',
    situation: asked(() => ({ resourceAttributes: get })),
    expected: { answer: invalid(noUser) },
  },
  {
    name: 'nothing about nobody',
    situation: asked(() => ({})),
    expected: withoutAttributes(noUser),
  },
  {
    name: 'asked by somebody who may not ask',
    situation: async (scene) => {
      const powerless = await scene.serviceAccount('powerless');
      const body = { spec: { user: 'jane', resourceAttributes: get } };
      return { call: { method: 'POST', path, body, token: await powerless.token() } };
    },
    expected: {
      answer: failure(
        403,
        'Forbidden',
        'subjectaccessreviews.authorization.k8s.io is forbidden: User "system:serviceaccount:shop:powerless" cannot create resource "subjectaccessreviews" in API group "authorization.k8s.io" at the cluster scope',
        { group: 'authorization.k8s.io', kind: 'subjectaccessreviews' },
      ),
    },
  },
  {
    name: 'about oneself, which anybody may ask',
    situation: async (scene) => {
      const serviceAccount = await scene.serviceAccount();
      await scene.cluster.client.allow(`${scene.namespace}/web`, get);
      return {
        call: {
          method: 'POST',
          path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
          body: { spec: { resourceAttributes: get } },
          token: await serviceAccount.token(),
        },
      };
    },
    expected: {
      answer: {
        http: 201,
        body: {
          kind: 'SelfSubjectAccessReview',
          apiVersion: 'authorization.k8s.io/v1',
          metadata: metadataOfReviews,
          spec: { resourceAttributes: get },
          status: {
            allowed: true,
            reason: `RBAC: allowed by ClusterRoleBinding "granted-<random>" of ClusterRole "granted-<random>" to ${toWeb}`,
          },
        },
      },
    },
  },
];
