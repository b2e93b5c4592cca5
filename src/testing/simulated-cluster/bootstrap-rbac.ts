import { randomUUID } from 'node:crypto';
import type { KubernetesObject, PolicyRule, RbacSubject } from '../cluster-client/kubernetes-object.ts';
import type { SimulatedClock } from './clock.ts';
import { CLUSTER_ROLE, CLUSTER_ROLE_BINDING, RBAC_GROUP } from './kinds.ts';
import type { Store } from './store.ts';
import { timestamp } from './timestamp.ts';

const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'delete', 'deletecollection', 'patch', 'update'];
const ALL = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const HEALTH = ['/healthz', '/livez', '/readyz', '/version', '/version/'];
const AGGREGATE = `${RBAC_GROUP}/aggregate-to-`;

/** The ClusterRoles of every API server that say something about the kinds and paths which this one has. */
const ROLES: Readonly<Record<string, readonly PolicyRule[]>> = {
  'cluster-admin': [on('*', ['*'], ['*']), { verbs: ['*'], nonResourceURLs: ['*'] }],
  'system:auth-delegator': [
    on('authentication.k8s.io', ['tokenreviews'], ['create']),
    on('authorization.k8s.io', ['subjectaccessreviews'], ['create']),
  ],
  'system:basic-user': [
    on('authorization.k8s.io', ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'], ['create']),
    on('authentication.k8s.io', ['selfsubjectreviews'], ['create']),
  ],
  'system:discovery': [
    {
      verbs: ['get'],
      nonResourceURLs: ['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*', ...HEALTH].toSorted(),
    },
  ],
  'system:public-info-viewer': [{ verbs: ['get'], nonResourceURLs: HEALTH }],
  'system:service-account-issuer-discovery': [
    {
      verbs: ['get'],
      nonResourceURLs: ['/.well-known/openid-configuration', '/openid/v1/jwks'].flatMap((path) => [path, `${path}/`]),
    },
  ],
  'system:aggregate-to-view': [
    on('', ['pods', 'serviceaccounts'], READ),
    on('', ['namespaces/status', 'pods/log', 'pods/status'], READ),
    on('', ['namespaces'], READ),
  ],
  'system:aggregate-to-edit': [
    on('', ['pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy', 'secrets'], READ),
    on('', ['serviceaccounts'], ['impersonate']),
    on('', ['pods', 'pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy'], WRITE),
    on('', ['pods/eviction'], ['create']),
    on('', ['secrets', 'serviceaccounts'], WRITE),
    on('', ['serviceaccounts/token'], ['create']),
  ],
  'system:aggregate-to-admin': [
    on('authorization.k8s.io', ['localsubjectaccessreviews'], ['create']),
    on(RBAC_GROUP, ['rolebindings', 'roles'], ALL),
  ],
};

/** Those whose rules a controller puts together; each is part of the next. */
const AGGREGATED = ['view', 'edit', 'admin'];

const BINDINGS: Readonly<Record<string, readonly string[]>> = {
  'cluster-admin': ['system:masters'],
  'system:basic-user': ['system:authenticated'],
  'system:discovery': ['system:authenticated'],
  'system:public-info-viewer': ['system:authenticated', 'system:unauthenticated'],
  'system:service-account-issuer-discovery': ['system:serviceaccounts'],
};

/** Creates the roles and bindings that every API server makes for itself. */
export function bootstrapRbac(store: Store, clock: SimulatedClock): void {
  const metadata = (name: string, labels: Readonly<Record<string, string>> = {}): KubernetesObject['metadata'] => ({
    name,
    uid: randomUUID(),
    resourceVersion: '',
    creationTimestamp: timestamp(clock.now()),
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
    annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
  });
  const { kind, apiVersion } = CLUSTER_ROLE;
  for (const [name, rules] of Object.entries(ROLES)) {
    const target = name.replace('system:aggregate-to-', '');
    const labels = target === name ? {} : { [`${AGGREGATE}${target}`]: 'true' };
    store.create(CLUSTER_ROLE, { kind, apiVersion, metadata: metadata(name, labels), rules });
  }
  for (const [index, name] of AGGREGATED.entries()) {
    const next = AGGREGATED[index + 1];
    store.create(CLUSTER_ROLE, {
      kind,
      apiVersion,
      metadata: metadata(name, next === undefined ? {} : { [`${AGGREGATE}${next}`]: 'true' }),
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [`${AGGREGATE}${name}`]: 'true' } }] },
      rules: null,
    });
  }
  for (const [name, groups] of Object.entries(BINDINGS)) {
    const subjects = groups.map((group): RbacSubject => ({ kind: 'Group', apiGroup: RBAC_GROUP, name: group }));
    store.create(CLUSTER_ROLE_BINDING, {
      kind: CLUSTER_ROLE_BINDING.kind,
      apiVersion,
      metadata: metadata(name),
      subjects,
      roleRef: { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name },
    });
  }
}

function on(group: string, resources: readonly string[], verbs: readonly string[]): PolicyRule {
  return { verbs, apiGroups: [group], resources };
}
