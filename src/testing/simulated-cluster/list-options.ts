import type { KubernetesObject } from '../cluster-client/kubernetes-object.ts';
import { type Continue, parseContinueToken } from './continue-token.ts';
import type { Kind } from './kinds.ts';
import { parseFieldSelector } from './parse-field-selector.ts';
import { parseLabelSelector } from './parse-label-selector.ts';
import { badRequest, invalid, type InvalidField, StatusError } from './status.ts';

/** What the query of a list or a watch asks for. */
export interface ListOptions {
  readonly selects: (object: KubernetesObject) => boolean;
  /** Whether it selects by labels or fields at all. */
  readonly isSelective: boolean;
  /** 0: no limit. */
  readonly limit: number;
  readonly continueFrom: Continue | undefined;
  /** undefined: the latest. */
  readonly version: number | undefined;
  readonly exact: boolean;
}

export interface WatchOptions {
  readonly selects: (object: KubernetesObject) => boolean;
  /** The changes after this version are sent, or what there is must be as new; undefined: from now on. */
  readonly version: number | undefined;
  /** What there is comes first, as if it had just been added. */
  readonly sendsInitialEvents: boolean;
  readonly bookmarks: boolean;
  /** Whether a bookmark is to mark the end of what there was. */
  readonly marksInitialEnd: boolean;
  /** 0: as the server likes. */
  readonly timeoutSeconds: number;
}

/** Throws Kubernetes' 400 and 422. */
export function parseListOptions(kind: Kind, query: URLSearchParams): ListOptions {
  const { selects, resourceVersion, match, limit } = parseCommonOptions(kind, query);
  const token = query.get('continue') ?? '';
  refuse([
    ...(match && !resourceVersion
      ? [forbidden(MATCH, `${MATCH} is forbidden unless resourceVersion is provided`)]
      : []),
    ...(match && token ? [NOT_WITH_CONTINUE] : []),
    ...unsupportedMatch(match, [EXACT, NOT_OLDER_THAN, '']),
    ...(match === EXACT && resourceVersion === '0'
      ? [forbidden(MATCH, `${MATCH} "exact" is forbidden for resourceVersion "0"`)]
      : []),
    ...(query.has(INITIAL_EVENTS) ? [forbidden(INITIAL_EVENTS, `${INITIAL_EVENTS} is forbidden for list`)] : []),
  ]);
  const continueFrom = token ? parseContinueToken(token) : undefined;
  if (token && resourceVersion && resourceVersion !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
  const problem = versionProblem(resourceVersion);
  if (problem) throw badRequest(`invalid resource version: ${problem}`);
  return {
    selects,
    isSelective: Boolean(query.get('labelSelector') || query.get('fieldSelector')),
    limit: Math.max(0, limit),
    continueFrom,
    version: resourceVersion === '' ? undefined : Number(resourceVersion),
    // With a limit, a version without a match has always meant that very version.
    exact: match === EXACT || (match === '' && limit > 0 && Number(resourceVersion) > 0),
  };
}

/** Throws Kubernetes' 400 and 422, and its 500 for a resourceVersion that is none. */
export function parseWatchOptions(
  kind: Kind,
  query: URLSearchParams,
  { watchList }: { readonly watchList: boolean },
): WatchOptions {
  const { selects, resourceVersion, timeoutSeconds, ...asked } = parseCommonOptions(kind, query);
  const isFromStart = (resourceVersion === '' || resourceVersion === '0') && !asked.match && !query.has(INITIAL_EVENTS);
  // An API server with the feature WatchList takes a watch from the start for one that asks for the initial events.
  const match = isFromStart && watchList ? NOT_OLDER_THAN : asked.match;
  const asksForEvents = query.has(INITIAL_EVENTS) || (isFromStart && watchList);
  refuse([
    ...(asksForEvents && match !== NOT_OLDER_THAN
      ? [forbidden(MATCH, `${INITIAL_EVENTS} requires setting ${MATCH} to ${NOT_OLDER_THAN}`)]
      : []),
    ...(asksForEvents && !watchList
      ? [
          forbidden(
            INITIAL_EVENTS,
            `${INITIAL_EVENTS} is forbidden for watch unless the WatchList feature gate is enabled`,
          ),
        ]
      : []),
    ...(match && !asksForEvents
      ? [forbidden(MATCH, `${MATCH} is forbidden for watch unless ${INITIAL_EVENTS} is provided`)]
      : []),
    ...unsupportedMatch(match, [NOT_OLDER_THAN]),
    ...(match && query.get('continue') ? [NOT_WITH_CONTINUE] : []),
  ]);
  const problem = versionProblem(resourceVersion);
  if (problem) throw new StatusError(500, undefined, problem);
  const sendsInitialEvents = isFromStart || isTrue(query.get(INITIAL_EVENTS));
  const bookmarks = isTrue(query.get('allowWatchBookmarks'));
  return {
    selects,
    version: Number(resourceVersion) || undefined,
    sendsInitialEvents,
    bookmarks,
    marksInitialEnd: bookmarks && asksForEvents && sendsInitialEvents,
    timeoutSeconds,
  };
}

/** A boolean parameter as the API server reads it: any value but `0` and `false` is true, an empty one too. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

interface CommonOptions {
  readonly selects: (object: KubernetesObject) => boolean;
  readonly timeoutSeconds: number;
  readonly limit: number;
  readonly resourceVersion: string;
  readonly match: string;
}

function parseCommonOptions(kind: Kind, query: URLSearchParams): CommonOptions {
  const byLabels = parseLabelSelector(query.get('labelSelector') ?? '');
  const byFields = parseFieldSelector(kind, query.get('fieldSelector') ?? '');
  return {
    selects: (object) => byLabels(object) && byFields(object),
    timeoutSeconds: integer(query, 'timeoutSeconds'),
    limit: integer(query, 'limit'),
    resourceVersion: query.get('resourceVersion') ?? '',
    match: query.get(MATCH) ?? '',
  };
}

const MATCH = 'resourceVersionMatch';
const EXACT = 'Exact';
const NOT_OLDER_THAN = 'NotOlderThan';
const INITIAL_EVENTS = 'sendInitialEvents';
const NOT_WITH_CONTINUE = forbidden(MATCH, `${MATCH} is forbidden when continue is provided`);
const MAX_VERSION = 2n ** 64n - 1n;

function versionProblem(text: string): string | undefined {
  const isNumber = /^\d*$/.test(text);
  if (isNumber && BigInt(text) <= MAX_VERSION) return undefined;
  const quoted = JSON.stringify(text);
  const why = isNumber ? 'value out of range' : 'invalid syntax';
  return `resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: ${why}`;
}

function integer(query: URLSearchParams, parameter: string): number {
  const text = query.get(parameter) ?? '0';
  if (!/^[-+]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

function forbidden(field: string, why: string): InvalidField {
  return { field, reason: 'FieldValueForbidden', message: `Forbidden: ${why}` };
}

function unsupportedMatch(match: string, supported: readonly string[]): InvalidField[] {
  if (!match || supported.includes(match)) return [];
  const values = supported.map((value) => JSON.stringify(value)).join(', ');
  const message = `Unsupported value: ${JSON.stringify(match)}: supported values: ${values}`;
  return [{ field: MATCH, reason: 'FieldValueNotSupported', message }];
}

function refuse(fields: readonly InvalidField[]): void {
  if (fields.length > 0) throw invalid('ListOptions', 'meta.k8s.io', '', fields);
}
