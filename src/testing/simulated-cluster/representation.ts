import type { KubernetesObject } from '../cluster-client/kubernetes-object.ts';
import type { Kind } from './kinds.ts';
import { UNKNOWN_INFO } from './node-defaults.ts';
import { notAcceptable, StatusError } from './status.ts';
import { type TableCircumstances, tableOf } from './table.ts';

/** In which form objects are shown, as the caller's `Accept` header asks for. */
export interface Representation {
  one(object: KubernetesObject): object;
  list(objects: readonly KubernetesObject[], metadata: object): object;
  /** An event's object that says nothing but how far the watch has come. */
  bookmark(metadata: object): object;
}

const META = 'meta.k8s.io/v1';

/** What is to be shown. */
type Shape = 'object' | 'list' | 'watch';

/** Throws Kubernetes' 406. Only JSON is spoken here: what asks for YAML or protobuf too gets JSON. */
export function representationFor(
  accept: string | undefined,
  kind: Kind,
  { shape, ...circumstances }: TableCircumstances & { readonly shape: Shape },
): Representation {
  const form = requestedForm(accept, shape);
  const { kind: name, apiVersion } = kind;
  if (form === 'Table') {
    return {
      one: (object) => tableOf(kind, [object], { resourceVersion: object.metadata.resourceVersion }, circumstances),
      list: (objects, metadata) => tableOf(kind, objects, metadata, circumstances),
      bookmark: (metadata) => tableOf(kind, [], metadata, circumstances),
    };
  }
  if (form === 'PartialObjectMetadata' && shape === 'list') {
    throw misshapen(`PartialObjectMetadata, but the requested object is a list (*core.${name}List)`);
  }
  if (form !== undefined) {
    const metadataOnly = ({ metadata }: Pick<KubernetesObject, 'metadata'>): object => ({
      kind: 'PartialObjectMetadata',
      apiVersion: META,
      metadata,
    });
    return {
      one: (object) => {
        if (form === 'PartialObjectMetadata') return metadataOnly(object);
        throw misshapen(`PartialObjectMetadataList, but the requested object is not a list (*core.${name})`);
      },
      list: (objects, metadata) => ({
        kind: 'PartialObjectMetadataList',
        apiVersion: META,
        metadata,
        // Go's empty list of these is none at all.
        items: objects.length > 0 ? objects.map(metadataOnly) : null,
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
    bookmark: (metadata) => ({ kind: name, apiVersion, metadata, ...EMPTY[name] }),
  };
}

const FORMS = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'];

/** What Go writes of an object of which nothing is set. */
const EMPTY: Readonly<Record<string, object>> = {
  Namespace: { spec: {}, status: {} },
  Node: {
    spec: {},
    status: {
      daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
      nodeInfo: UNKNOWN_INFO,
    },
  },
  Pod: { spec: { containers: null }, status: {} },
  Role: { rules: null },
  ClusterRole: { rules: null },
  RoleBinding: { roleRef: { apiGroup: '', kind: '', name: '' } },
  ClusterRoleBinding: { roleRef: { apiGroup: '', kind: '', name: '' } },
};
const MEDIA_TYPES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
const STREAMED = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch'];

function requestedForm(accept: string | undefined, shape: Shape): string | undefined {
  const ranges = (accept || '*/*').split(',').map((range) => range.split(';').map((part) => part.trim()));
  if (!['*/*', ...MEDIA_TYPES].some((known) => ranges.some(([type]) => type === known))) {
    throw notAcceptable([...MEDIA_TYPES, ...(shape === 'object' ? [] : STREAMED)].join(', '));
  }
  for (const [type, ...rest] of ranges) {
    if (type !== '*/*' && type !== 'application/json') continue;
    const { as: form, g: group, v: version } = parametersOf(rest);
    if (form === undefined) return undefined;
    if (FORMS.includes(form) && group === 'meta.k8s.io' && version === 'v1') return form;
  }
  const message = `only the following media types are accepted: ${MEDIA_TYPES.join(', ')}`;
  throw new StatusError(406, 'NotAcceptable', message);
}

function misshapen(what: string): StatusError {
  return new StatusError(406, 'NotAcceptable', `you requested ${what}`);
}

function parametersOf(parts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(parts.map((part) => [part.replace(/=.*/, ''), part.slice(part.indexOf('=') + 1)] as const));
}
