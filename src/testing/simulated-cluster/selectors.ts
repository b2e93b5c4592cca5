import type { KubernetesObject, LabelSelector } from '../cluster-client/kubernetes-object.ts';
import type { Kind } from './kinds.ts';
import { badRequest } from './status.ts';

type Labels = Readonly<Record<string, string>>;

/** A selector of an object's specification; an empty one selects all. */
export function matchesLabelSelector({ matchLabels, matchExpressions }: LabelSelector, labels: Labels = {}): boolean {
  return (
    Object.entries(matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
    (matchExpressions ?? []).every(({ key, operator, values }) => holds(labels[key], operator, values ?? []))
  );
}

function holds(value: string | undefined, operator: string, values: readonly string[]): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    default:
      return value === undefined;
  }
}

/** The parameter `labelSelector`: `a=b,c!=d,e in (f, g),!h,i`. Throws Kubernetes' 400. */
export function parseLabelSelector(text: string): (object: KubernetesObject) => boolean {
  const terms = text.match(/(?:[^,(]|\([^)]*\))+/g) ?? [];
  const expressions = terms.map((term) => labelExpression(term.trim()));
  return ({ metadata }) => matchesLabelSelector({ matchExpressions: expressions }, metadata.labels);
}

type Expression = NonNullable<LabelSelector['matchExpressions']>[number];

function labelExpression(term: string): Expression {
  const {
    key = '',
    operator,
    value = '',
  } = /^(?<key>[\w./-]+?)\s*(?<operator>==?|!=)\s*(?<value>[\w.-]*)$/.exec(term)?.groups ?? {};
  if (operator) return { key, operator: operator === '!=' ? 'NotIn' : 'In', values: [value] };
  const set = /^(?<key>[\w./-]+)\s+(?<operator>in|notin)\s*\((?<values>[\w.,\s-]*)\)$/.exec(term)?.groups;
  if (set?.['key']) {
    const values = (set['values'] ?? '').split(',').map((one) => one.trim());
    return { key: set['key'], operator: set['operator'] === 'in' ? 'In' : 'NotIn', values };
  }
  const { not, alone } = /^(?<not>!?)\s*(?<alone>[\w./-]+)$/.exec(term)?.groups ?? {};
  if (alone === undefined) throw badRequest(`unable to parse requirement: found '${term}'`);
  return { key: alone, operator: not ? 'DoesNotExist' : 'Exists' };
}

/** The parameter `fieldSelector`: `metadata.name=a,spec.nodeName!=b`. Throws Kubernetes' 400. */
export function parseFieldSelector(kind: Kind, text: string): (object: KubernetesObject) => boolean {
  const known = FIELDS[kind.kind] ?? [];
  const terms = text.split(',').filter((term) => term !== '');
  const parsed = terms.map((term) => {
    const {
      field = '',
      operator,
      value = '',
    } = /^(?<field>[^=!]+)(?<operator>==?|!=)(?<value>.*)$/.exec(term)?.groups ?? {};
    if (!operator) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    if (!COMMON_FIELDS.includes(field) && !known.includes(field)) throw unknownField(field, known.length > 0);
    return { path: field.split('.'), equal: operator !== '!=', value };
  });
  return (object) => parsed.every(({ path, equal, value }) => (valueAt(object, path) === value) === equal);
}

const COMMON_FIELDS = ['metadata.name', 'metadata.namespace'];
/** Kinds that select by further fields say so in other words when they do not know one. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  Pod: ['spec.nodeName', 'spec.restartPolicy', 'spec.schedulerName', 'spec.serviceAccountName', 'status.phase'],
  Node: ['spec.unschedulable'],
  Namespace: ['status.phase'],
  Secret: ['type'],
};

function unknownField(field: string, hasOwnFields: boolean): Error {
  if (hasOwnFields) return badRequest(`field label not supported: ${field}`);
  return badRequest(`"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`);
}

function valueAt(object: KubernetesObject, path: readonly string[]): string {
  const value = path.reduce<unknown>((parent, part) => Object(parent)[part] as unknown, object);
  return typeof value === 'string' || typeof value === 'boolean' ? String(value) : '';
}
