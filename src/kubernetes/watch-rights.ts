import type { Intention } from './refused-call.ts';

const roleName = 'k8s-service-account-auth-watch';
const watched = (resources: readonly string[]): object => ({ apiGroups: [''], resources, verbs: ['list', 'watch'] });

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
      ...roleAndBinding('ClusterRole', undefined, [watched(everywhere)], subject),
      ...(namespaces ?? []).flatMap((one) => roleAndBinding('Role', one, perNamespace, subject)),
    ];
    // It takes JSON too.
    const manifest = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    return `Until then identities last for \`cache.maxAgeMs\`, and deletions are not noticed. Allow it with: kubectl apply -f - <<< '${manifest}'`;
  };
}

function roleAndBinding(
  kind: 'Role' | 'ClusterRole',
  namespace: string | undefined,
  rules: readonly object[],
  subject: object,
): readonly object[] {
  const apiGroup = 'rbac.authorization.k8s.io';
  const apiVersion = `${apiGroup}/v1`;
  const metadata = { name: roleName, ...(namespace !== undefined && { namespace }) };
  const roleRef = { apiGroup, kind, name: roleName };
  return [
    { apiVersion, kind, metadata, rules },
    { apiVersion, kind: `${kind}Binding`, metadata, roleRef, subjects: [subject] },
  ];
}
