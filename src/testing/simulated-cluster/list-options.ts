import type { KubernetesObject } from '../cluster-client/kubernetes-object.ts';
import type { Kind } from './kinds.ts';
import { parseFieldSelector, parseLabelSelector } from './selectors.ts';
import { badRequest, invalid, StatusError } from './status.ts';

/** What the query of a list or a watch asks for. */
export interface ListOptions {
  readonly selects: (object: KubernetesObject) => boolean;
  /** 0: no limit. */
  readonly limit: number;
  readonly continueAfter: Continue | undefined;
  /** undefined: the latest. */
  readonly version: number | undefined;
  readonly exact: boolean;
}

export interface WatchOptions {
  readonly selects: (object: KubernetesObject) => boolean;
  /** undefined: what there is comes first, as if it had just been added. */
  readonly version: number | undefined;
  readonly bookmarks: boolean;
  /** Whether a bookmark is to mark the end of what there was. */
  readonly marksInitialEnd: boolean;
  readonly timeoutSeconds: number;
}

/** Where a list goes on: after the object with that key, as everything was at that version. */
export interface Continue {
  readonly version: number;
  readonly key: string;
}

/** Throws Kubernetes' 400 and 422. */
export function parseListOptions(kind: Kind, query: URLSearchParams): ListOptions {
  const resourceVersion = query.get('resourceVersion') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  const token = query.get('continue') ?? '';
  if (match && !resourceVersion) {
    throw invalidOptions('resourceVersionMatch is forbidden unless resourceVersion is provided');
  }
  if (token && resourceVersion && resourceVersion !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
  const version = resourceVersion === '' ? undefined : parseVersion(resourceVersion);
  if (Number.isNaN(version)) throw badRequest(`invalid resource version: ${notAVersion(resourceVersion)}`);
  return {
    selects: parseSelectors(kind, query),
    limit: Math.max(0, integer(query, 'limit')),
    continueAfter: token ? parseContinue(token) : undefined,
    version,
    exact: match === 'Exact',
  };
}

/** Throws Kubernetes' 400 and 422, and its 500 for a resourceVersion that is none. */
export function parseWatchOptions(kind: Kind, query: URLSearchParams): WatchOptions {
  const resourceVersion = query.get('resourceVersion') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  const sendsInitialEvents = isTrue(query.get('sendInitialEvents'));
  if (sendsInitialEvents && match !== 'NotOlderThan') {
    throw invalidOptions('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
  }
  if (match && !query.has('sendInitialEvents')) {
    throw invalidOptions('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided');
  }
  const version = parseVersion(resourceVersion);
  if (Number.isNaN(version)) throw new StatusError(500, undefined, notAVersion(resourceVersion));
  const bookmarks = isTrue(query.get('allowWatchBookmarks'));
  return {
    selects: parseSelectors(kind, query),
    version: version === 0 || sendsInitialEvents ? undefined : version,
    bookmarks,
    // An API server takes a watch from the start with bookmarks for one that asks for this mark.
    marksInitialEnd: bookmarks && (sendsInitialEvents || resourceVersion === ''),
    timeoutSeconds: integer(query, 'timeoutSeconds'),
  };
}

/** A boolean parameter as the API server reads it: any value but `0` and `false` is true, an empty one too. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

/** A continue token in the form of the API server. */
export function continueToken({ version, key }: Continue): string {
  const content = { v: 'meta.k8s.io/v1', rv: version, start: `/${key}\0` };
  return Buffer.from(JSON.stringify(content)).toString('base64url');
}

function parseContinue(token: string): Continue {
  const text = Buffer.from(token, 'base64url').toString();
  const [, version, key] = /^\{"v":"meta\.k8s\.io\/v1","rv":(-?\d+),"start":"\/(.*)\\u0000"\}$/.exec(text) ?? [];
  if (version === undefined || key === undefined) {
    throw badRequest('invalid continue token: continue key is not valid: it is not one that a list has returned');
  }
  return { version: Number(version), key };
}

function parseSelectors(kind: Kind, query: URLSearchParams): (object: KubernetesObject) => boolean {
  const byLabels = parseLabelSelector(query.get('labelSelector') ?? '');
  const byFields = parseFieldSelector(kind, query.get('fieldSelector') ?? '');
  return (object) => byLabels(object) && byFields(object);
}

function parseVersion(text: string): number {
  return /^\d*$/.test(text) ? Number(text) : NaN;
}

function notAVersion(text: string): string {
  const quoted = JSON.stringify(text);
  return `resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: invalid syntax`;
}

function integer(query: URLSearchParams, parameter: string): number {
  const text = query.get(parameter) || '0';
  if (!/^[-+]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

function invalidOptions(why: string): StatusError {
  const field = 'resourceVersionMatch';
  return invalid('ListOptions', 'meta.k8s.io', '', [
    { field, reason: 'FieldValueForbidden', message: `Forbidden: ${why}` },
  ]);
}
