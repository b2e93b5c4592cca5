/** A kind of object that the store holds. */
export interface Kind {
  readonly kind: string;
  readonly group: string;
  readonly apiVersion: string;
  readonly resource: string;
  readonly namespaced: boolean;
  readonly shortNames?: readonly string[];
}

function core(kind: string, resource: string, namespaced: boolean, shortName?: string): Kind {
  return { kind, group: '', apiVersion: 'v1', resource, namespaced, ...(shortName && { shortNames: [shortName] }) };
}

export const RBAC_GROUP = 'rbac.authorization.k8s.io';

function rbac(kind: string, namespaced: boolean): Kind {
  const resource = `${kind.toLowerCase()}s`;
  return { kind, group: RBAC_GROUP, apiVersion: `${RBAC_GROUP}/v1`, resource, namespaced };
}

export const NAMESPACE: Kind = core('Namespace', 'namespaces', false, 'ns');
export const NODE: Kind = core('Node', 'nodes', false, 'no');
export const SERVICE_ACCOUNT: Kind = core('ServiceAccount', 'serviceaccounts', true, 'sa');
export const POD: Kind = core('Pod', 'pods', true, 'po');
export const SECRET: Kind = core('Secret', 'secrets', true);
export const ROLE: Kind = rbac('Role', true);
export const CLUSTER_ROLE: Kind = rbac('ClusterRole', false);
export const ROLE_BINDING: Kind = rbac('RoleBinding', true);
export const CLUSTER_ROLE_BINDING: Kind = rbac('ClusterRoleBinding', false);

/** What an API server writes as it starts. It is not served. */
export const LEASE: Kind = {
  kind: 'Lease',
  group: 'coordination.k8s.io',
  apiVersion: 'coordination.k8s.io/v1',
  resource: 'leases',
  namespaced: true,
};

export const KINDS: readonly Kind[] = [
  NAMESPACE,
  NODE,
  POD,
  SECRET,
  SERVICE_ACCOUNT,
  CLUSTER_ROLE_BINDING,
  CLUSTER_ROLE,
  ROLE_BINDING,
  ROLE,
];
