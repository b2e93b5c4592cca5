import type { Rule, Subject } from './access.ts';

export interface RbacObjects {
  readonly role: { readonly kind: string; readonly collection: string; readonly content: object };
  readonly binding: {
    readonly kind: string;
    readonly collection: string;
    readonly content: (roleName: string) => object;
  };
  /** The SubjectAccessReview that is allowed once they are in force. */
  readonly review: object;
}

const GROUP = 'rbac.authorization.k8s.io';
const NAME_PREFIX = 'granted-';

/** The role and binding that grant one rule, in a namespace if the rule names one. */
export function rbacObjects(subject: Subject, rule: Rule): RbacObjects {
  const namespace = 'path' in rule ? undefined : rule.namespace;
  const prefix = namespace === undefined ? 'Cluster' : '';
  const collection = (resource: string): string =>
    `/apis/${GROUP}/v1/${namespace === undefined ? '' : `namespaces/${namespace}/`}${resource}`;
  const metadata = { generateName: NAME_PREFIX };
  return {
    role: {
      kind: `${prefix}Role`,
      collection: collection(`${prefix.toLowerCase()}roles`),
      content: { metadata, rules: [policyRule(rule)] },
    },
    binding: {
      kind: `${prefix}RoleBinding`,
      collection: collection(`${prefix.toLowerCase()}rolebindings`),
      content: (name) => ({
        metadata,
        roleRef: { apiGroup: GROUP, kind: `${prefix}Role`, name },
        subjects: [rbacSubject(subject)],
      }),
    },
    review: {
      kind: 'SubjectAccessReview',
      apiVersion: 'authorization.k8s.io/v1',
      spec: { ...reviewedUser(subject), ...reviewedAttributes(rule) },
    },
  };
}

function policyRule(rule: Rule): object {
  if ('path' in rule) return { verbs: [rule.verb], nonResourceURLs: [rule.path] };
  return {
    verbs: [rule.verb],
    apiGroups: [rule.group],
    resources: [rule.resource],
    ...(rule.name !== undefined && { resourceNames: [rule.name] }),
  };
}

function rbacSubject(subject: Subject): object {
  if (typeof subject === 'string') {
    const [namespace, name] = subject.split('/');
    return { kind: 'ServiceAccount', namespace, name };
  }
  return 'group' in subject
    ? { apiGroup: GROUP, kind: 'Group', name: subject.group }
    : { apiGroup: GROUP, kind: 'User', name: subject.user };
}

function reviewedUser(subject: Subject): object {
  if (typeof subject === 'string') return { user: `system:serviceaccount:${subject.replace('/', ':')}` };
  return 'group' in subject ? { groups: [subject.group] } : { user: subject.user };
}

function reviewedAttributes(rule: Rule): object {
  if ('path' in rule) return { nonResourceAttributes: { verb: rule.verb, path: rule.path } };
  const { verb, group, namespace, name } = rule;
  const [resource, subresource] = rule.resource.split('/');
  return { resourceAttributes: { verb, group, resource, subresource, namespace, name } };
}
