import type { KubernetesObject, LabelSelector, PolicyRule, RbacSubject } from './kubernetes-object.ts';

/** A Role, ClusterRole, RoleBinding or ClusterRoleBinding, as in a YAML file. */
export interface RbacManifest {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly rules?: readonly PolicyRule[];
  readonly aggregationRule?: { readonly clusterRoleSelectors?: readonly LabelSelector[] };
  readonly roleRef?: NonNullable<KubernetesObject['roleRef']>;
  readonly subjects?: readonly RbacSubject[];
}

const apiVersion = 'rbac.authorization.k8s.io/v1';
const resources: Readonly<Record<string, { readonly plural: string; readonly namespaced: boolean }>> = {
  Role: { plural: 'roles', namespaced: true },
  RoleBinding: { plural: 'rolebindings', namespaced: true },
  ClusterRole: { plural: 'clusterroles', namespaced: false },
  ClusterRoleBinding: { plural: 'clusterrolebindings', namespaced: false },
};

/**
 * Where in the REST API the objects of a manifest's kind are.
 *
 * @throws {TypeError} where it is none of RBAC, or in no namespace and should be in one
 */
export function rbacCollection({ kind, metadata, apiVersion: given = apiVersion }: RbacManifest): string {
  const resource = resources[kind];
  if (resource === undefined || given !== apiVersion) {
    throw new TypeError(`rbac: ${given} ${kind} is no Role, ClusterRole, RoleBinding or ClusterRoleBinding`);
  }
  if (!resource.namespaced) return `/apis/${apiVersion}/${resource.plural}`;
  if (!metadata.namespace) throw new TypeError(`rbac: the ${kind} "${metadata.name}" needs a metadata.namespace`);
  return `/apis/${apiVersion}/namespaces/${metadata.namespace}/${resource.plural}`;
}
