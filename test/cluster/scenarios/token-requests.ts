import { byVersion } from '../conformance/by-version.ts';
import { type Expected, failure } from '../conformance/expected.ts';
import { KUBERNETES_ISSUER } from '../conformance/issuer.ts';
import type { Scenario } from '../conformance/scenario.ts';
import type { Scene } from '../conformance/scene.ts';

const GROUP = 'authentication.k8s.io';

/** A TokenRequest for the ServiceAccount `web`, which exists; its answer only. */
function requested(body: (scene: Scene) => unknown, { name = 'web' } = {}): Scenario['situation'] {
  return async (scene) => {
    await scene.serviceAccount();
    const content = await body(scene);
    return { call: { method: 'POST', path: tokenPath(scene, name), body: content } };
  };
}

function tokenPath(scene: Scene, name = 'web'): string {
  return `/api/v1/namespaces/${scene.namespace}/serviceaccounts/${name}/token`;
}

function issued(spec: object): Extract<Expected, { answer: unknown }> {
  return {
    answer: {
      http: 201,
      body: {
        kind: 'TokenRequest',
        apiVersion: `${GROUP}/v1`,
        metadata: byVersion(
          { '1.33': { name: 'web', namespace: 'shop', creationTimestamp: '<time>' } },
          { name: 'web', namespace: 'shop', uid: '<ServiceAccount web>', creationTimestamp: '<time>' },
        ),
        spec,
        status: { token: '<token>', expirationTimestamp: '<time>' },
      },
    },
  };
}

const unbound = issued({ audiences: [KUBERNETES_ISSUER], expirationSeconds: 3600, boundObjectRef: null });

function invalid(field: string, message: string, name = ''): Expected {
  return {
    answer: failure(422, 'Invalid', `TokenRequest.${GROUP} "${name}" is invalid: ${field}: ${message}`, {
      ...(name && { name }),
      group: GROUP,
      kind: 'TokenRequest',
      causes: [{ reason: 'FieldValueInvalid', message, field }],
    }),
  };
}

function notFound(kind: string, name: string): Expected {
  return { answer: failure(404, 'NotFound', `${kind} "${name}" not found`, { name, kind }) };
}

function badRequest(message: string): Expected {
  return { answer: failure(400, 'BadRequest', message) };
}

const expirationSeconds = (seconds: number): Scenario['situation'] =>
  requested(() => ({ spec: { expirationSeconds: seconds } }));
const boundTo = (ref: object): Scenario['situation'] => requested(() => ({ spec: { boundObjectRef: ref } }));

export const tokenRequests: readonly Scenario[] = [
  {
    name: 'nothing in particular',
    situation: requested(() => ({})),
    expected: unbound,
  },
  {
    name: 'audiences and a lifetime',
    situation: requested(() => ({ spec: { audiences: ['orders', 'billing'], expirationSeconds: 7200 } })),
    expected: issued({ audiences: ['orders', 'billing'], expirationSeconds: 7200, boundObjectRef: null }),
  },
  {
    name: 'a Pod',
    situation: requested(async (scene) => {
      const { uid } = await scene.pod('web-1');
      return { spec: { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web-1', uid } } };
    }),
    expected: issued({
      audiences: [KUBERNETES_ISSUER],
      expirationSeconds: 3600,
      boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web-1', uid: '<Pod web-1>' },
    }),
  },
  {
    name: 'a Pod without its uid',
    situation: requested(async (scene) => {
      await scene.pod('web-1');
      return { spec: { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web-1' } } };
    }),
    expected: issued({
      audiences: [KUBERNETES_ISSUER],
      expirationSeconds: 3600,
      boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web-1' },
    }),
  },
  {
    name: 'less than 10 minutes',
    situation: expirationSeconds(599),
    expected: invalid('spec.expirationSeconds', 'Invalid value: 599: may not specify a duration less than 10 minutes'),
  },
  {
    name: 'a lifetime of 0',
    situation: expirationSeconds(0),
    expected: invalid('spec.expirationSeconds', 'Invalid value: 0: may not specify a duration less than 10 minutes'),
  },
  {
    name: 'a negative lifetime',
    situation: expirationSeconds(-1),
    expected: invalid('spec.expirationSeconds', 'Invalid value: -1: may not specify a duration less than 10 minutes'),
  },
  {
    name: 'more than 136 years',
    situation: expirationSeconds(2 ** 32 + 1),
    expected: invalid(
      'spec.expirationSeconds',
      'Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds',
    ),
  },
  {
    name: 'a Pod that does not exist',
    situation: boundTo({ kind: 'Pod', apiVersion: 'v1', name: 'web-1' }),
    expected: notFound('pods', 'web-1'),
  },
  {
    name: 'a Node that does not exist',
    situation: boundTo({ kind: 'Node', apiVersion: 'v1', name: 'nowhere' }),
    expected: notFound('nodes', 'nowhere'),
  },
  {
    name: 'a Secret that does not exist',
    situation: boundTo({ kind: 'Secret', apiVersion: 'v1', name: 'key' }),
    expected: notFound('secrets', 'key'),
  },
  {
    name: 'a ConfigMap',
    situation: boundTo({ kind: 'ConfigMap', apiVersion: 'v1', name: 'settings' }),
    expected: badRequest('cannot bind token to object of type /v1, Kind=ConfigMap'),
  },
  {
    name: 'a Deployment',
    situation: boundTo({ kind: 'Deployment', apiVersion: 'apps/v1', name: 'web' }),
    expected: badRequest('cannot bind token to object of type apps/v1, Kind=Deployment'),
  },
  {
    name: 'a Pod of an API group that has none',
    situation: boundTo({ kind: 'Pod', apiVersion: 'apps/v1', name: 'web-1' }),
    expected: badRequest('cannot bind token to object of type apps/v1, Kind=Pod'),
  },
  {
    name: 'a Pod of another ServiceAccount',
    situation: requested(async (scene) => {
      await scene.pod('job-1', { serviceAccount: 'batch' });
      return { spec: { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'job-1' } } };
    }),
    expected: badRequest(
      'cannot bind token for serviceaccount "web" to pod running with different serviceaccount name.',
    ),
  },
  {
    name: 'a Pod by the uid of another',
    situation: requested(async (scene) => {
      await scene.pod('web-1');
      return { spec: { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web-1', uid: 'another' } } };
    }),
    expected: {
      answer: failure(
        409,
        'Conflict',
        'Operation cannot be fulfilled on Pod "web-1": the UID in the bound object reference (another) does not match the UID in record. The object might have been deleted and then recreated',
        { name: 'web-1', kind: 'Pod' },
      ),
    },
  },
  {
    name: 'a ServiceAccount that does not exist',
    situation: requested(() => ({}), { name: 'nobody' }),
    expected: notFound('serviceaccounts', 'nobody'),
  },
  {
    name: 'a namespace that does not exist',
    situation: () =>
      Promise.resolve({
        call: { method: 'POST', path: '/api/v1/namespaces/nowhere/serviceaccounts/web/token', body: {} },
      }),
    expected: notFound('namespaces', 'nowhere'),
  },
  {
    name: 'another ServiceAccount in the body than in the path',
    situation: requested(() => ({ metadata: { name: 'batch' } })),
    expected: invalid(
      'metadata.name',
      'Invalid value: "batch": must match the service account name if specified',
      'web',
    ),
  },
  {
    name: 'another namespace in the body than in the path',
    situation: requested(() => ({ metadata: { namespace: 'attic' } })),
    expected: badRequest('the namespace of the provided object does not match the namespace sent on the request'),
  },
  {
    name: 'another uid of the ServiceAccount',
    situation: requested(() => ({ metadata: { uid: 'another' } })),
    expected: {
      answer: byVersion(
        // Nobody looks at it.
        { '1.33': unbound.answer },
        failure(
          409,
          'Conflict',
          `Operation cannot be fulfilled on TokenRequest.${GROUP} "web": the UID in the token request (another) does not match the UID of the service account (<ServiceAccount web>)`,
          { name: 'web', group: GROUP, kind: 'TokenRequest' },
        ),
      ),
    },
  },
  {
    name: 'a ServiceAccount that terminates, which does not matter',
    situation: async (scene) => {
      const serviceAccount = await scene.serviceAccount('web', { finalizers: ['example.com/hold'] });
      await serviceAccount.delete();
      return { call: { method: 'POST', path: tokenPath(scene), body: {} } };
    },
    expected: unbound,
  },
  {
    name: 'in a namespace that terminates',
    needsBareServer: true,
    situation: async (scene) => {
      const namespace = await scene.createNamespace();
      await scene.serviceAccount();
      await namespace.delete();
      // Admission reads namespaces from a cache.
      await scene.cluster.elapse(500);
      return { call: { method: 'POST', path: tokenPath(scene), body: {} } };
    },
    expected: {
      answer: failure(
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
  },
  {
    name: 'without the right to',
    situation: async (scene) => {
      const serviceAccount = await scene.serviceAccount();
      return { call: { method: 'POST', path: tokenPath(scene), body: {}, token: await serviceAccount.token() } };
    },
    expected: {
      answer: failure(
        403,
        'Forbidden',
        'serviceaccounts "web" is forbidden: User "system:serviceaccount:shop:web" cannot create resource "serviceaccounts/token" in API group "" in the namespace "shop"',
        { name: 'web', kind: 'serviceaccounts' },
      ),
    },
  },
  {
    name: 'with GET',
    situation: async (scene) => {
      await scene.serviceAccount();
      return { call: { method: 'GET', path: tokenPath(scene) } };
    },
    expected: {
      answer: failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {}),
    },
  },
];
