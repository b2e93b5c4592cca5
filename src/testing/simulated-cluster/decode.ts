import type { z } from 'zod';
import { goTypeOf } from './go-type.ts';
import { badRequest } from './status.ts';

/** Takes a request's body for a `kind`; throws Kubernetes' 400 where a field has the wrong type. */
export function decode<T>(schema: z.ZodType<T>, kind: string, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const why = issue?.code === 'invalid_type' ? typeError(kind, issue, body) : String(issue?.message);
  throw badRequest(kind === 'DeleteOptions' ? why : `${kind} in version "v1" cannot be handled as a ${kind}: ${why}`);
}

/** What Go's encoding/json says; the struct is named right for the fields of the object, its metadata and its spec. */
function typeError(kind: string, issue: { path: PropertyKey[]; expected: string }, body: unknown): string {
  const names = issue.path.filter((part) => typeof part === 'string');
  const structs: Record<string, string> = { metadata: 'ObjectMeta', spec: `${kind}Spec`, status: `${kind}Status` };
  const struct = names.length === 1 ? kind : (structs[String(names[0])] ?? kind);
  const last = String(names.at(-1));
  const types: Record<string, string> = {
    string: 'string',
    number: 'int64',
    array: '[]string',
    record: 'map[string]string',
    object: `v1.${structs[last] ?? capitalized(last)}`,
  };
  const value = issue.path.reduce<unknown>((parent, part) => Object(parent)[part] as unknown, body);
  const field = `${struct}.${names.join('.')}`;
  return `json: cannot unmarshal ${goTypeOf(value)} into Go struct field ${field} of type ${types[issue.expected]}`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
