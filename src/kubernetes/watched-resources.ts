export type ResourceKind =
  'Pod' | 'ServiceAccount' | 'Node' | 'Role' | 'ClusterRole' | 'RoleBinding' | 'ClusterRoleBinding';

interface Place {
  /** The path of its API group and version. */
  readonly root: string;
  readonly plural: string;
  readonly isNamespaced: boolean;
}

const core = '/api/v1';
const rbac = '/apis/rbac.authorization.k8s.io/v1';

/** Where in the REST API the kinds of objects are that may be watched. */
const places: Readonly<Record<ResourceKind, Place>> = {
  Pod: { root: core, plural: 'pods', isNamespaced: true },
  ServiceAccount: { root: core, plural: 'serviceaccounts', isNamespaced: true },
  Node: { root: core, plural: 'nodes', isNamespaced: false },
  Role: { root: rbac, plural: 'roles', isNamespaced: true },
  ClusterRole: { root: rbac, plural: 'clusterroles', isNamespaced: false },
  RoleBinding: { root: rbac, plural: 'rolebindings', isNamespaced: true },
  ClusterRoleBinding: { root: rbac, plural: 'clusterrolebindings', isNamespaced: false },
};

/** As paths and roles name the kind. */
export const pluralOf = (kind: ResourceKind): string => places[kind].plural;

/** The path of the objects of a kind: of all, or of those in a namespace, which counts for nothing where they are in none. */
export function collectionPath(kind: ResourceKind, namespace: string | undefined): string {
  const { root, plural, isNamespaced } = places[kind];
  const place = isNamespaced && namespace !== undefined ? `namespaces/${encodeURIComponent(namespace)}/` : '';
  return `${root}/${place}${plural}`;
}
