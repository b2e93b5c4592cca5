import { type FieldType, type Message, MESSAGES } from './messages.ts';
import { badRequest } from './status.ts';

const SERVER_SIDE = new Set(['kind', 'apiVersion', 'status', 'managedFields', 'ownerReferences']);

/**
 * `fieldValidation=Strict`, which kubectl asks for: throws Kubernetes' 400 for a field that is not of that kind. The
 * specifications of Pods, Nodes and Namespaces are not looked into.
 */
export function refuseUnknownFields(query: URLSearchParams, body: unknown, kind: string): void {
  const fields = MESSAGES[kind];
  if (query.get('fieldValidation') !== 'Strict' || !fields) return;
  const unknown = unknownFields(body, fields).map((path) => `unknown field ${JSON.stringify(path)}`);
  if (unknown.length === 0) return;
  const why = `strict decoding error: ${unknown.join(', ')}`;
  throw badRequest(`${kind} in version "v1" cannot be handled as a ${kind}: ${why}`);
}

function unknownFields(value: unknown, fields: Message, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const types = new Map<string, FieldType | readonly [FieldType]>(Object.values(fields));
  return Object.entries(value).flatMap(([name, content]: [string, unknown]) => {
    const type = types.get(name);
    const here = `${path}${name}`;
    if (type === undefined) return SERVER_SIDE.has(name) ? [] : [here];
    const [inner, items] = isList(type) ? [type[0], Array.isArray(content) ? content : []] : [type, [content]];
    if (typeof inner === 'string') return [];
    return items.flatMap((item, index) => unknownFields(item, inner, isList(type) ? `${here}[${index}].` : `${here}.`));
  });
}

function isList(type: FieldType | readonly [FieldType]): type is readonly [FieldType] {
  return Array.isArray(type);
}
