import type { KubernetesObject, PolicyRule, RbacSubject } from '../cluster-client/kubernetes-object.ts';
import { CLUSTER_ROLE, type Kind, RBAC_GROUP, ROLE, ROLE_BINDING } from './kinds.ts';
import type { VersionTraits } from './kubernetes-version.ts';
import type { ObjectInput } from './object-schema.ts';
import type { InvalidField } from './status.ts';
import { SUBDOMAIN, SUBDOMAIN_RULE } from './names.ts';

/** Roles and bindings may be called anything that a path of a URL can hold. */
export function wrongRbacName(name: string): InvalidField[] {
  const problem = name === '.' || name === '..' ? `may not be '${name}'` : illegalCharacter(name);
  return problem === undefined ? [] : [invalidValue('metadata.name', name, problem)];
}

function illegalCharacter(name: string): string | undefined {
  const found = ['/', '%'].find((character) => name.includes(character));
  return found && `may not contain '${found}'`;
}

export function wrongRbacContent(kind: Kind, object: ObjectInput, version: VersionTraits): InvalidField[] {
  const problems =
    kind === ROLE || kind === CLUSTER_ROLE ? wrongRole(kind, object, version) : wrongBinding(kind, object);
  if (!version.validatesDeclaratively) return problems;
  const isDeclared = ({ field, reason }: InvalidField): boolean =>
    reason === 'FieldValueRequired' && DECLARED.test(field);
  const isOfRoleRef = ({ field }: InvalidField): number => Number(field.startsWith('roleRef'));
  return [
    ...problems.filter((problem) => !isDeclared(problem)),
    ...problems
      .filter(isDeclared)
      .toSorted((a, b) => isOfRoleRef(a) - isOfRoleRef(b))
      .map(({ field }) => required(field)),
  ];
}

/** The fields that the types of the API declare to be required. */
const DECLARED = /^(rules\[\d+\]\.verbs|subjects\[\d+\]\.name|roleRef\.name)$/;

function wrongRole(kind: Kind, object: ObjectInput, version: VersionTraits): InvalidField[] {
  return [
    ...(object.rules ?? []).flatMap((rule, index) => wrongRule(kind, rule, `rules[${index}]`, version)),
    ...wrongAggregation(object, version),
  ];
}

function wrongBinding(kind: Kind, object: ObjectInput): InvalidField[] {
  return [
    ...wrongRoleRef(kind, object),
    ...(object.subjects ?? []).flatMap((subject, index) => wrongSubject(kind, subject, `subjects[${index}]`)),
  ];
}

/** A binding's role may not change: that would grant rights to subjects that were chosen for others. */
export function changedRoleRef(
  current: KubernetesObject,
  changed: ObjectInput,
  version: VersionTraits,
): InvalidField[] {
  const { apiGroup: APIGroup, kind: Kind, name: Name } = { apiGroup: '', kind: '', name: '', ...changed.roleRef };
  const { apiGroup, kind, name } = current.roleRef ?? { apiGroup: '', kind: '', name: '' };
  if (APIGroup === apiGroup && Kind === kind && Name === name) return [];
  const why = version.validatesDeclaratively ? 'field is immutable' : 'cannot change roleRef';
  return [invalidValue('roleRef', { APIGroup, Kind, Name }, why, version)];
}

function wrongRule(
  kind: Kind,
  { verbs, apiGroups, resources, nonResourceURLs }: PolicyRule,
  path: string,
  version: VersionTraits,
): InvalidField[] {
  const problems = verbs.length > 0 ? [] : [required(`${path}.verbs`, 'verbs must contain at least one value')];
  if (nonResourceURLs?.length) {
    const why = kind.namespaced ? 'namespaced rules cannot apply to non-resource URLs' : undefined;
    const both =
      apiGroups?.length || resources?.length
        ? 'rules cannot apply to both regular resources and non-resource URLs'
        : undefined;
    return [
      ...problems,
      ...[why, both].flatMap((one) =>
        one ? [invalidValue(`${path}.nonResourceURLs`, nonResourceURLs, one, version)] : [],
      ),
    ];
  }
  if (!apiGroups?.length)
    problems.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
  if (!resources?.length)
    problems.push(required(`${path}.resources`, 'resource rules must supply at least one resource'));
  return problems;
}

const SELECTOR_OPERATORS = new Set(['In', 'NotIn', 'Exists', 'DoesNotExist']);

function wrongAggregation({ aggregationRule }: ObjectInput, version: VersionTraits): InvalidField[] {
  if (!aggregationRule) return [];
  const field = 'aggregationRule.clusterRoleSelectors';
  const selectors = aggregationRule.clusterRoleSelectors ?? [];
  if (selectors.length === 0) {
    return [required(field, 'at least one clusterRoleSelector required if aggregationRule is non-nil')];
  }
  return selectors.flatMap(({ matchExpressions }, index) => {
    const unknown = (matchExpressions ?? []).flatMap(({ operator }, position) =>
      SELECTOR_OPERATORS.has(operator)
        ? []
        : [
            invalidValue(
              `${field}[${index}].matchExpressions[${position}].operator`,
              operator,
              'not a valid selector operator',
            ),
          ],
    );
    return unknown.length === 0
      ? []
      : [...unknown, invalidValue(`${field}[${index}]`, null, 'invalid label selector.', version)];
  });
}

function wrongRoleRef(kind: Kind, { roleRef }: ObjectInput): InvalidField[] {
  const { apiGroup = RBAC_GROUP, kind: roleKind, name } = roleRef ?? { kind: '', name: '' };
  const kinds = kind === ROLE_BINDING ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  return [
    ...unsupported('roleRef.apiGroup', apiGroup, [RBAC_GROUP]),
    ...unsupported('roleRef.kind', roleKind, kinds),
    ...(name === ''
      ? [required('roleRef.name')]
      : wrongRbacName(name).map((problem) => ({ ...problem, field: 'roleRef.name' }))),
  ];
}

function wrongSubject(
  kind: Kind,
  { kind: subjectKind, apiGroup, name, namespace }: RbacSubject,
  path: string,
): InvalidField[] {
  const nameless = name === '' ? [required(`${path}.name`)] : [];
  switch (subjectKind) {
    case 'ServiceAccount':
      return [
        ...nameless,
        ...(name === '' || SUBDOMAIN.test(name) ? [] : [invalidValue(`${path}.name`, name, SUBDOMAIN_RULE)]),
        ...unsupported(`${path}.apiGroup`, apiGroup ?? '', ['']),
        ...(kind.namespaced || namespace ? [] : [required(`${path}.namespace`)]),
      ];
    case 'User':
    case 'Group':
      return [...nameless, ...unsupported(`${path}.apiGroup`, apiGroup ?? RBAC_GROUP, [RBAC_GROUP])];
    default:
      return [...nameless, ...unsupported(`${path}.kind`, subjectKind, ['ServiceAccount', 'User', 'Group'])];
  }
}

function unsupported(field: string, value: string, supported: readonly string[]): InvalidField[] {
  if (supported.includes(value)) return [];
  const list = supported.map((one) => JSON.stringify(one)).join(', ');
  return [
    {
      field,
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${list}`,
    },
  ];
}

/** Without a version: a text, which all of them show in the same way. */
function invalidValue(field: string, value: unknown, why: string, version?: VersionTraits): InvalidField {
  const shown = version?.errorsShowGo ? asGo(value) : JSON.stringify(value);
  return { field, reason: 'FieldValueInvalid', message: `Invalid value: ${shown}: ${why}` };
}

function asGo(value: unknown): string {
  if (value === null) return '"null"';
  if (Array.isArray(value)) return `[]string{${value.map((item) => JSON.stringify(item)).join(', ')}}`;
  const fields = Object.entries(Object(value)).map(([name, content]) => `${name}:${JSON.stringify(content)}`);
  return `rbac.RoleRef{${fields.join(', ')}}`;
}

function required(field: string, why?: string): InvalidField {
  return { field, reason: 'FieldValueRequired', message: why ? `Required value: ${why}` : 'Required value' };
}
