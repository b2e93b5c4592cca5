import type { KubernetesObject } from '../cluster-client/kubernetes-object.ts';
import type { Kind } from './kinds.ts';
import { StatusError } from './status.ts';
import { tableOf } from './table.ts';

/** In which form objects are shown, as the caller's `Accept` header asks for. */
export interface Representation {
  one(object: KubernetesObject): object;
  list(objects: readonly KubernetesObject[], metadata: object): object;
  /** An event's object that says nothing but how far the watch has come. */
  bookmark(metadata: object): object;
}

const META = 'meta.k8s.io/v1';

/** Throws Kubernetes' 406. Only JSON is spoken here: what asks for YAML or protobuf too gets JSON. */
export function representationFor(
  accept: string | undefined,
  kind: Kind,
  { now, isList }: { readonly now: number; readonly isList: boolean },
): Representation {
  const form = requestedForm(accept);
  const { kind: name, apiVersion } = kind;
  if (form === 'Table') {
    return {
      one: (object) => tableOf(kind, [object], { resourceVersion: object.metadata.resourceVersion }, now),
      list: (objects, metadata) => tableOf(kind, objects, metadata, now),
      bookmark: (metadata) => tableOf(kind, [], metadata, now),
    };
  }
  if (form === 'PartialObjectMetadata' && isList) {
    const message = `you requested PartialObjectMetadata, but the requested object is a list (*core.${name}List)`;
    throw new StatusError(406, 'NotAcceptable', message);
  }
  if (form !== undefined) {
    const metadataOnly = ({ metadata }: Pick<KubernetesObject, 'metadata'>): object => ({
      kind: 'PartialObjectMetadata',
      apiVersion: META,
      metadata,
    });
    return {
      one: metadataOnly,
      list: (objects, metadata) => ({
        kind: 'PartialObjectMetadataList',
        apiVersion: META,
        metadata,
        items: objects.map(metadataOnly),
      }),
      bookmark: (metadata) => ({ kind: 'PartialObjectMetadata', apiVersion: META, metadata }),
    };
  }
  return {
    one: (object) => object,
    list: (objects, metadata) => ({
      kind: `${name}List`,
      apiVersion,
      metadata,
      items: objects.map(({ kind: _kind, apiVersion: _apiVersion, ...item }) => item),
    }),
    bookmark: (metadata) => ({ kind: name, apiVersion, metadata }),
  };
}

const FORMS = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'];

function requestedForm(accept = '*/*'): string | undefined {
  for (const range of accept.split(',')) {
    const [type, ...rest] = range.split(';').map((part) => part.trim());
    if (type !== '*/*' && type !== 'application/*' && type !== 'application/json') continue;
    const { as: form, g: group, v: version } = parametersOf(rest);
    if (form === undefined) return undefined;
    if (FORMS.includes(form) && group === 'meta.k8s.io' && version === 'v1') return form;
  }
  const accepted = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
  throw new StatusError(406, 'NotAcceptable', `only the following media types are accepted: ${accepted}`);
}

function parametersOf(parts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(parts.map((part) => part.split('=', 2)).map(([name = '', value = '']) => [name, value]));
}
