import type { Attributes } from '../cluster-client/access.ts';
import type { PolicyRule, RbacSubject } from '../cluster-client/kubernetes-object.ts';
import { CLUSTER_ROLE, CLUSTER_ROLE_BINDING, type Kind, ROLE, ROLE_BINDING } from './kinds.ts';
import type { VersionTraits } from './kubernetes-version.ts';
import type { Store } from './store.ts';
import type { User } from './user.ts';

export interface Decision {
  readonly allowed: boolean;
  readonly reason: string;
}

export interface Rights {
  readonly store: Store;
  readonly version: VersionTraits;
}

export interface HeldRule {
  readonly rule: PolicyRule;
  /** How the user comes to it, in the words of the API server. */
  readonly by: string;
}

/** May `user` do that, by the roles and bindings of the cluster? The one place that decides about rights. */
export function authorize(user: User, attributes: Attributes, { store, version }: Rights): Decision {
  if (isMaster(user)) return { allowed: true, reason: '' };
  const problems = new Set<string>();
  const namespace = 'path' in attributes ? '' : attributes.namespace;
  for (const { rule, by } of rulesOf(user, namespace, store, problems)) {
    if (covers(rule, attributes)) return { allowed: true, reason: `RBAC: allowed by ${by}` };
  }
  const [first, ...more] = problems;
  if (first === undefined) return { allowed: false, reason: '' };
  const authorizer = version.refusalsNameTheAuthorizer ? 'rbac: ' : '';
  return { allowed: false, reason: `${authorizer}RBAC: ${more.length > 0 ? `[${[...problems].join(', ')}]` : first}` };
}

export function isMaster(user: User): boolean {
  return user.groups.includes('system:masters');
}

/** The rules that hold for `user` in the whole cluster and in one namespace; `problems` takes up what stands in the way. */
export function* rulesOf(
  user: User,
  namespace: string,
  store: Store,
  problems: Set<string> = new Set(),
): Generator<HeldRule> {
  yield* rulesBoundBy(CLUSTER_ROLE_BINDING, '', user, store, problems);
  if (namespace !== '') yield* rulesBoundBy(ROLE_BINDING, namespace, user, store, problems);
}

function* rulesBoundBy(
  kind: Kind,
  namespace: string,
  user: User,
  store: Store,
  problems: Set<string>,
): Generator<HeldRule> {
  for (const binding of store.list(kind, kind.namespaced ? namespace : undefined)) {
    const subject = binding.subjects?.find((candidate) => isAbout(candidate, namespace, user));
    const { roleRef } = binding;
    if (!subject || !roleRef) continue;
    const role =
      roleRef.kind === 'Role'
        ? store.get(ROLE, binding.metadata.namespace, roleRef.name)
        : store.get(CLUSTER_ROLE, undefined, roleRef.name);
    if (!role) {
      problems.add(`${roleRef.kind.toLowerCase()}.rbac.authorization.k8s.io "${roleRef.name}" not found`);
      continue;
    }
    const name = kind.namespaced ? `${binding.metadata.name}/${namespace}` : binding.metadata.name;
    const by = `${kind.kind} ${JSON.stringify(name)} of ${roleRef.kind} ${JSON.stringify(roleRef.name)} to ${described(subject, namespace)}`;
    for (const rule of role.rules ?? []) yield { rule, by };
  }
}

function described({ kind, name, namespace }: RbacSubject, bindingNamespace: string): string {
  // The API server names the namespace last.
  const whole = kind === 'ServiceAccount' ? `${name}/${namespace || bindingNamespace}` : name;
  return `${kind} ${JSON.stringify(whole)}`;
}

function isAbout({ kind, name, namespace }: RbacSubject, bindingNamespace: string, user: User): boolean {
  if (kind === 'User') return user.username === name;
  if (kind === 'Group') return user.groups.includes(name);
  const home = namespace || bindingNamespace;
  return home !== '' && user.username === `system:serviceaccount:${home}:${name}`;
}

function covers(rule: PolicyRule, attributes: Attributes): boolean {
  if (!includes(rule.verbs, attributes.verb)) return false;
  if ('path' in attributes) return (rule.nonResourceURLs ?? []).some((url) => matchesPath(url, attributes.path));
  const { group, resource, subresource, name } = attributes;
  const whole = subresource ? `${resource}/${subresource}` : resource;
  const resources = rule.resources ?? [];
  const names = rule.resourceNames ?? [];
  return (
    includes(rule.apiGroups ?? [], group) &&
    (includes(resources, whole) || (subresource !== '' && resources.includes(`*/${subresource}`))) &&
    (names.length === 0 || names.includes(name))
  );
}

function includes(allowed: readonly string[], asked: string): boolean {
  return allowed.includes('*') || allowed.includes(asked);
}

function matchesPath(allowed: string, asked: string): boolean {
  return allowed === asked || (allowed.endsWith('*') && asked.startsWith(allowed.replace(/\*+$/, '')));
}
