import { failure, type Expected } from '../conformance/expected.ts';
import type { Presented, Scenario } from '../conformance/scenario.ts';
import type { Scene } from '../conformance/scene.ts';

type Call = Extract<Presented, { call: unknown }>['call'];

/** A call in a namespace `shop` that exists. */
function calling(call: (scene: Scene) => Call | Promise<Call>): Scenario['situation'] {
  return async (scene) => {
    await scene.createNamespace();
    return { call: await call(scene) };
  };
}

const answer = (...status: Parameters<typeof failure>): Expected => ({ answer: failure(...status) });
const noSuchResource = answer(404, 'NotFound', 'the server could not find the requested resource', {});
const pageNotFound: Expected = { answer: { http: 404, body: '404 page not found\n' } };
const methodNotAllowed = answer(
  405,
  'MethodNotAllowed',
  'the server does not allow this method on the requested resource',
  {},
);

const reviews = '/apis/authentication.k8s.io/v1/tokenreviews';
const inShop = (scene: Scene, rest: string): string => `/api/v1/namespaces/${scene.namespace}/${rest}`;

export const failures: readonly Scenario[] = [
  {
    name: 'a Pod that does not exist',
    situation: calling((scene) => ({ method: 'GET', path: inShop(scene, 'pods/web-1') })),
    expected: answer(404, 'NotFound', 'pods "web-1" not found', { name: 'web-1', kind: 'pods' }),
  },
  {
    name: 'a Pod in a namespace that does not exist',
    situation: calling(() => ({ method: 'GET', path: '/api/v1/namespaces/nowhere/pods/web-1' })),
    expected: answer(404, 'NotFound', 'pods "web-1" not found', { name: 'web-1', kind: 'pods' }),
  },
  {
    name: 'a namespace that does not exist',
    situation: calling(() => ({ method: 'GET', path: '/api/v1/namespaces/nowhere' })),
    expected: answer(404, 'NotFound', 'namespaces "nowhere" not found', { name: 'nowhere', kind: 'namespaces' }),
  },
  {
    name: 'a Node that does not exist',
    situation: calling(() => ({ method: 'GET', path: '/api/v1/nodes/nowhere' })),
    expected: answer(404, 'NotFound', 'nodes "nowhere" not found', { name: 'nowhere', kind: 'nodes' }),
  },
  {
    name: 'deleting a Secret that does not exist',
    situation: calling((scene) => ({ method: 'DELETE', path: inShop(scene, 'secrets/key') })),
    expected: answer(404, 'NotFound', 'secrets "key" not found', { name: 'key', kind: 'secrets' }),
  },
  {
    name: 'deleting a Pod by the uid of another',
    situation: calling(async (scene) => {
      await scene.pod('web-1');
      return { method: 'DELETE', path: inShop(scene, 'pods/web-1'), body: { preconditions: { uid: 'another' } } };
    }),
    expected: answer(
      409,
      'Conflict',
      'Operation cannot be fulfilled on Pod "web-1": the UID in the precondition (another) does not match the UID in record (<Pod web-1>). The object might have been deleted and then recreated',
      { name: 'web-1', kind: 'Pod' },
    ),
  },
  {
    name: 'a ServiceAccount that exists already',
    situation: calling(async (scene) => {
      await scene.serviceAccount();
      return { method: 'POST', path: inShop(scene, 'serviceaccounts'), body: { metadata: { name: 'web' } } };
    }),
    expected: answer(409, 'AlreadyExists', 'serviceaccounts "web" already exists', {
      name: 'web',
      kind: 'serviceaccounts',
    }),
  },
  {
    name: 'creating in a namespace that does not exist',
    situation: calling(() => ({
      method: 'POST',
      path: '/api/v1/namespaces/nowhere/serviceaccounts',
      body: { metadata: { name: 'web' } },
    })),
    expected: answer(404, 'NotFound', 'namespaces "nowhere" not found', { name: 'nowhere', kind: 'namespaces' }),
  },
  {
    name: 'creating in a namespace that terminates',
    needsBareServer: true,
    situation: async (scene) => {
      const namespace = await scene.createNamespace();
      await namespace.delete();
      // Admission reads namespaces from a cache.
      await scene.cluster.elapse(500);
      return {
        call: { method: 'POST', path: inShop(scene, 'serviceaccounts'), body: { metadata: { name: 'web' } } },
      };
    },
    expected: answer(
      403,
      'Forbidden',
      'serviceaccounts "web" is forbidden: unable to create new content in namespace shop because it is being terminated',
      {
        name: 'web',
        kind: 'serviceaccounts',
        causes: [
          {
            reason: 'NamespaceTerminating',
            message: 'namespace shop is being terminated',
            field: 'metadata.namespace',
          },
        ],
      },
    ),
  },
  {
    name: 'an object without a name',
    situation: calling((scene) => ({ method: 'POST', path: inShop(scene, 'serviceaccounts'), body: {} })),
    expected: answer(
      422,
      'Invalid',
      'ServiceAccount "" is invalid: metadata.name: Required value: name or generateName is required',
      {
        kind: 'ServiceAccount',
        causes: [
          {
            reason: 'FieldValueRequired',
            message: 'Required value: name or generateName is required',
            field: 'metadata.name',
          },
        ],
      },
    ),
  },
  {
    name: 'an object of another namespace',
    situation: calling((scene) => ({
      method: 'POST',
      path: inShop(scene, 'serviceaccounts'),
      body: { metadata: { name: 'web', namespace: 'attic' } },
    })),
    expected: answer(
      400,
      'BadRequest',
      'the namespace of the provided object does not match the namespace sent on the request',
    ),
  },
  {
    name: 'a kind of object that nobody knows',
    situation: calling((scene) => ({ method: 'GET', path: inShop(scene, 'unicorns') })),
    expected: noSuchResource,
  },
  {
    name: 'an API group that nobody knows',
    situation: calling(() => ({ method: 'GET', path: '/apis/example.com/v1/unicorns' })),
    expected: pageNotFound,
  },
  {
    name: 'a path that leads nowhere',
    situation: calling(() => ({ method: 'GET', path: '/unicorns' })),
    expected: pageNotFound,
  },
  {
    name: 'a version of the core API that does not exist',
    situation: calling(() => ({ method: 'GET', path: '/api/v2/pods' })),
    expected: noSuchResource,
  },
  {
    name: 'a version of TokenReviews that is gone',
    situation: calling(() => ({
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1beta1/tokenreviews',
      body: { spec: { token: 'x' } },
    })),
    expected: noSuchResource,
  },
  {
    name: 'a TokenReview without a token',
    situation: calling(() => ({ method: 'POST', path: reviews, body: { spec: { audiences: ['orders'] } } })),
    expected: answer(400, 'BadRequest', 'token is required for TokenReview in authentication'),
  },
  {
    name: 'a TokenReview without anything',
    situation: calling(() => ({ method: 'POST', path: reviews, body: {} })),
    expected: answer(400, 'BadRequest', 'token is required for TokenReview in authentication'),
  },
  {
    name: 'reading TokenReviews',
    situation: calling(() => ({ method: 'GET', path: reviews })),
    expected: methodNotAllowed,
  },
  {
    name: 'a TokenReview by name',
    situation: calling(() => ({ method: 'GET', path: `${reviews}/x` })),
    expected: noSuchResource,
  },
  {
    name: 'a TokenReview of another kind',
    situation: calling(() => ({
      method: 'POST',
      path: reviews,
      body: { kind: 'SubjectAccessReview', apiVersion: 'authorization.k8s.io/v1', spec: { user: 'jane' } },
    })),
    expected: answer(
      400,
      'BadRequest',
      'SubjectAccessReview in version "v1" cannot be handled as a TokenReview: converting (v1.SubjectAccessReview) to (authentication.TokenReview): unknown conversion',
    ),
  },
  {
    name: 'a TokenReview whose token is a number',
    situation: calling(() => ({ method: 'POST', path: reviews, body: { spec: { token: 7 } } })),
    expected: answer(
      400,
      'BadRequest',
      'TokenReview in version "v1" cannot be handled as a TokenReview: json: cannot unmarshal number into Go struct field TokenReviewSpec.spec.token of type string',
    ),
  },
  {
    name: 'a TokenReview whose audiences are a string',
    situation: calling(() => ({ method: 'POST', path: reviews, body: { spec: { token: 'x', audiences: 'orders' } } })),
    expected: answer(
      400,
      'BadRequest',
      'TokenReview in version "v1" cannot be handled as a TokenReview: json: cannot unmarshal string into Go struct field TokenReviewSpec.spec.audiences of type []string',
    ),
  },
  {
    name: 'a body in XML',
    situation: calling(() => ({
      method: 'POST',
      path: reviews,
      body: '<review/>',
      headers: { 'content-type': 'application/xml' },
    })),
    expected: answer(
      415,
      'UnsupportedMediaType',
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    ),
  },
  {
    name: 'the keys, as a kind of JSON that they are not',
    situation: calling(() => ({ method: 'GET', path: '/openid/v1/jwks', headers: { accept: 'application/json' } })),
    expected: answer(
      406,
      'NotAcceptable',
      '406: Not Acceptable\n\nAvailable representations: application/jwk-set+json',
      {},
    ),
  },
  {
    name: 'the keys, to nobody',
    situation: calling(() => ({ method: 'GET', path: '/openid/v1/jwks', token: null })),
    expected: answer(403, 'Forbidden', 'forbidden: User "system:anonymous" cannot get path "/openid/v1/jwks"', {}),
  },
  {
    name: 'Secrets of another namespace, without the right to',
    situation: calling(async (scene) => {
      const serviceAccount = await scene.serviceAccount();
      return {
        method: 'GET',
        path: '/api/v1/namespaces/kube-system/secrets',
        token: await serviceAccount.token(),
      };
    }),
    expected: answer(
      403,
      'Forbidden',
      'secrets is forbidden: User "system:serviceaccount:shop:web" cannot list resource "secrets" in API group "" in the namespace "kube-system"',
      { kind: 'secrets' },
    ),
  },
  {
    name: 'a Pod, without the right to',
    situation: calling(async (scene) => {
      const serviceAccount = await scene.serviceAccount();
      return { method: 'GET', path: inShop(scene, 'pods/web-1'), token: await serviceAccount.token() };
    }),
    expected: answer(
      403,
      'Forbidden',
      'pods "web-1" is forbidden: User "system:serviceaccount:shop:web" cannot get resource "pods" in API group "" in the namespace "shop"',
      { name: 'web-1', kind: 'pods' },
    ),
  },
  {
    name: 'anything with a forged credential',
    situation: calling(() => ({ method: 'GET', path: '/version', token: 'garbage' })),
    expected: answer(401, 'Unauthorized', 'Unauthorized'),
  },
  {
    name: 'who one is',
    situation: calling(async (scene) => {
      const serviceAccount = await scene.serviceAccount();
      const token = await serviceAccount.token();
      return { method: 'POST', path: '/apis/authentication.k8s.io/v1/selfsubjectreviews', body: {}, token };
    }),
    expected: {
      answer: {
        http: 201,
        body: {
          kind: 'SelfSubjectReview',
          apiVersion: 'authentication.k8s.io/v1',
          metadata: { creationTimestamp: '<time>' },
          status: {
            userInfo: {
              username: 'system:serviceaccount:shop:web',
              uid: '<ServiceAccount web>',
              groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
              extra: { 'authentication.kubernetes.io/credential-id': ['JTI=<jti>'] },
            },
          },
        },
      },
    },
  },
];
