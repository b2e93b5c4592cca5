import { isLabel, isSubdomain } from '../authentication/kubernetes-names.ts';
import type { NonResourceAttributes, ResourceAttributes } from './access-attributes.ts';

/** Why a value can be no such attribute; `undefined` where it can. */
export type FaultOf = (value: string) => string | undefined;

/** Kubernetes' bound for names. */
const maxNameLength = 253;
/** Kubernetes has none; this one keeps what a caller chooses short. */
const maxPathLength = 1_024;

const verbPattern = /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/;
/** Controls, invisible characters, lone surrogates (which JSON would change), line and paragraph separators. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/u;

/** The bounds of each attribute; `*` and the empty group are none of them, and for whoever accepts them to say. */
export const resourceFaults: Readonly<Record<keyof ResourceAttributes, FaultOf>> = {
  verb: (value) =>
    value.length <= maxNameLength && verbPattern.test(value) ? undefined : 'is no verb, such as "get", in lower case',
  group: (value) => (isSubdomain(value) ? undefined : 'is no API group, such as "orders.example.com"'),
  resource: (value) => (isLabel(value) ? undefined : 'is no resource, such as "orders", in lower case'),
  subresource: (value) => (isLabel(value) ? undefined : 'is no subresource, such as "status", in lower case'),
  namespace: (value) => (isLabel(value) ? undefined : 'is no name of a namespace'),
  name: nameFault,
};

export const nonResourceFaults: Readonly<Record<keyof NonResourceAttributes, FaultOf>> = {
  verb: resourceFaults.verb,
  path: pathFault,
};

/** What can be a segment of an API server's paths, which is the least that Kubernetes asks of any name. */
function nameFault(value: string): string | undefined {
  if (value.length > maxNameLength) return `is longer than ${maxNameLength} characters`;
  if (unprintable.test(value)) return 'has characters that cannot be seen';
  if (value === '.' || value === '..' || /[/%]/.test(value))
    return 'is no name: it may not be . or .., nor have / or %';
  return undefined;
}

/** A path that everyone reads alike: nothing left to decode, to resolve or to merge. */
function pathFault(value: string): string | undefined {
  if (!value.startsWith('/')) return 'does not begin with /';
  if (value.length > maxPathLength) return `is longer than ${maxPathLength} characters`;
  if (unprintable.test(value)) return 'has characters that cannot be seen';
  if (/[%\\]/.test(value)) return 'has a % or \\';
  if (/\/(?:\.{0,2})\//.test(value) || /\/\.{1,2}$/.test(value)) return 'has an empty segment, or one that is . or ..';
  return undefined;
}
