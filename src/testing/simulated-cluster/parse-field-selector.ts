import type { KubernetesObject } from '../cluster-client/kubernetes-object.ts';
import { type Kind, POD } from './kinds.ts';
import { badRequest } from './status.ts';

interface Term {
  readonly field: string;
  readonly isEqual: boolean;
  readonly value: string;
}

/** What kinds with fields of their own can be selected by; the values are those of an object that has none. */
const FIELDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Pod: {
    'metadata.name': '',
    'metadata.namespace': '',
    'spec.nodeName': '',
    'spec.restartPolicy': '',
    'spec.schedulerName': '',
    'spec.serviceAccountName': '',
    'spec.hostNetwork': 'false',
    'status.phase': '',
    'status.podIP': '',
    'status.podIPs': '',
    'status.nominatedNodeName': '',
  },
  Node: { 'metadata.name': '', 'spec.unschedulable': 'false' },
  Namespace: { 'metadata.name': '', 'status.phase': '' },
  Secret: { 'metadata.name': '', 'metadata.namespace': '', type: '' },
};
const COMMON_FIELDS: Readonly<Record<string, string>> = { 'metadata.name': '', 'metadata.namespace': '' };

/** The parameter `fieldSelector`: `metadata.name=a,spec.nodeName!=b`. Throws Kubernetes' 400. */
export function parseFieldSelector(kind: Kind, text: string): (object: KubernetesObject) => boolean {
  const own = FIELDS[kind.kind];
  const fields = own ?? COMMON_FIELDS;
  const terms = termsOf(text).map((term) =>
    kind === POD && term.field === 'spec.host' ? { ...term, field: 'spec.nodeName' } : term,
  );
  for (const { field } of terms) {
    if (fields[field] !== undefined) continue;
    if (own) throw badRequest(`field label not supported: ${field}`);
    throw badRequest(`"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`);
  }
  return (object) =>
    terms.every(({ field, value, isEqual }) => ((valueAt(object, field) ?? fields[field]) === value) === isEqual);
}

function termsOf(text: string): Term[] {
  const terms = text.match(/(?:\\.|[^,\\]|\\$)+/gs) ?? [];
  return terms
    .toSorted()
    .map((term) => {
      const {
        field = '',
        operator,
        value = '',
      } = /^(?<field>.*?)(?<operator>!=|==|=)(?<value>.*)$/s.exec(term)?.groups ?? {};
      if (operator === undefined) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
      return { field, isEqual: operator !== '!=', value: unescaped(value) };
    })
    .filter(({ field, value }) => field !== '' || value !== '');
}

/** A backslash before one of `\,=` makes it part of the value. */
function unescaped(value: string): string {
  return value.replaceAll(/\\(.?)|[,=]/gs, (found: string, escaped: string | undefined) => {
    if (escaped === undefined) {
      throw badRequest(`invalid field selector: unescaped character in value: ${found.codePointAt(0)}`);
    }
    if (!['\\', ',', '='].includes(escaped)) {
      throw badRequest(`invalid field selector: invalid escape sequence: ${found}`);
    }
    return escaped;
  });
}

function valueAt(object: KubernetesObject, field: string): string | undefined {
  const value = field.split('.').reduce<unknown>((parent, part) => Object(parent)[part] as unknown, object);
  return typeof value === 'string' || typeof value === 'boolean' ? String(value) : undefined;
}
