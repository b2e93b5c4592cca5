import { type Kind, KINDS, NAMESPACE, NODE, POD, RBAC_GROUP } from './kinds.ts';

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const AUTHENTICATION = 'authentication.k8s.io';
const AUTHORIZATION = 'authorization.k8s.io';

interface Resource {
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

/** The API groups that are served, with their resources; the core group's name is empty. All are `v1`. */
export const API_GROUPS: Readonly<Record<string, readonly Resource[]>> = {
  '': [
    ...resources(''),
    ...[NAMESPACE, NODE, POD].map(status),
    {
      name: 'serviceaccounts/token',
      singularName: '',
      namespaced: true,
      group: AUTHENTICATION,
      version: 'v1',
      kind: 'TokenRequest',
      verbs: ['create'],
    },
  ],
  [AUTHENTICATION]: [review('SelfSubjectReview'), review('TokenReview')],
  [AUTHORIZATION]: [
    review('LocalSubjectAccessReview', true),
    review('SelfSubjectAccessReview'),
    review('SelfSubjectRulesReview'),
    review('SubjectAccessReview'),
  ],
  [RBAC_GROUP]: resources(RBAC_GROUP),
};

/** What tells clients which groups, versions and resources there are; `path` has no slash at its end. */
export function discoveryDocument(path: string, address: string): object | undefined {
  const [, root, group, version, ...rest] = path.split('/');
  if (root === 'api' && group === undefined) {
    const serverAddress = address.replace('https://', '');
    return {
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
    };
  }
  if (path === '/api/v1') return resourceList('');
  if (root !== 'apis' || rest.length > 0) return undefined;
  if (group === undefined) {
    const groups = Object.keys(API_GROUPS).filter((name) => name !== '');
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupOf) };
  }
  if (group === '' || !API_GROUPS[group]) return undefined;
  if (version === undefined) return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(group) };
  return version === 'v1' ? resourceList(group) : undefined;
}

function groupOf(name: string): object {
  const only = { groupVersion: `${name}/v1`, version: 'v1' };
  return { name, versions: [only], preferredVersion: only };
}

function resourceList(group: string): object {
  return {
    kind: 'APIResourceList',
    ...(group && { apiVersion: 'v1' }),
    groupVersion: group ? `${group}/v1` : 'v1',
    resources: API_GROUPS[group],
  };
}

function resources(group: string): Resource[] {
  return KINDS.filter((kind) => kind.group === group).map(resource);
}

function resource({ kind, resource: name, namespaced, shortNames }: Kind): Resource {
  return {
    name,
    singularName: kind.toLowerCase(),
    namespaced,
    kind,
    verbs: name === 'namespaces' ? VERBS.filter((verb) => verb !== 'deletecollection') : VERBS,
    ...(shortNames && { shortNames }),
    ...(name === 'pods' && { categories: ['all'] }),
  };
}

function status({ resource: name, kind, namespaced }: Kind): Resource {
  return { name: `${name}/status`, singularName: '', namespaced, kind, verbs: ['update'] };
}

function review(kind: string, namespaced = false): Resource {
  const singularName = kind.toLowerCase();
  return { name: `${singularName}s`, singularName, namespaced, kind, verbs: ['create'] };
}
