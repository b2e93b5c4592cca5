import type { Intention } from './refused-call.ts';

const roleName = 'k8s-service-account-auth-watch';
const rbacGroup = 'rbac.authorization.k8s.io';
const watched = (resources: readonly string[], group = ''): object => ({
  apiGroups: [group],
  resources,
  verbs: ['list', 'watch'],
});

/**
 * How an operator lets us watch, on one line.
 *
 * @param namespaces those that are watched; `undefined`: all
 */
export function watchGrant(namespaces: readonly string[] | undefined): Intention['grantTo'] {
  return ({ namespace, name }) => {
    const everywhere = namespaces === undefined ? ['pods', 'serviceaccounts', 'nodes'] : ['nodes'];
    const perNamespace = [
      watched(['pods', 'serviceaccounts']),
      { apiGroups: [''], resources: ['namespaces'], verbs: ['get'] },
    ];
    const subject = { kind: 'ServiceAccount', namespace, name };
    const items = [
      ...roleAndBinding('ClusterRole', { name: roleName }, [watched(everywhere)], subject),
      ...(namespaces ?? []).flatMap((one) =>
        roleAndBinding('Role', { name: roleName, namespace: one }, perNamespace, subject),
      ),
    ];
    return `Until then identities last for \`cache.maxAgeMs\`, and deletions are not noticed. ${applying(items)}`;
  };
}

/** How an operator lets us watch what RBAC decides by, on one line. */
export const permissionsWatchGrant: Intention['grantTo'] = ({ namespace, name }) => {
  const rules = [watched(['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'], rbacGroup)];
  const subject = { kind: 'ServiceAccount', namespace, name };
  const items = roleAndBinding('ClusterRole', { name: `${roleName}-permissions` }, rules, subject);
  return `Until then allowances last for \`decisions.maxAgeMs\`, whatever is withdrawn. ${applying(items)}`;
};

/** It takes JSON too. */
const applying = (items: readonly object[]): string =>
  `Allow it with: kubectl apply -f - <<< '${JSON.stringify({ apiVersion: 'v1', kind: 'List', items })}'`;

function roleAndBinding(
  kind: 'Role' | 'ClusterRole',
  metadata: { readonly name: string; readonly namespace?: string },
  rules: readonly object[],
  subject: object,
): readonly object[] {
  const apiGroup = rbacGroup;
  const apiVersion = `${apiGroup}/v1`;
  const roleRef = { apiGroup, kind, name: metadata.name };
  return [
    { apiVersion, kind, metadata, rules },
    { apiVersion, kind: `${kind}Binding`, metadata, roleRef, subjects: [subject] },
  ];
}
