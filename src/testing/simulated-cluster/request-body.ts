import { goTypeOf } from './go-type.ts';
import { KINDS } from './kinds.ts';
import { readProtobuf } from './protobuf.ts';
import { badRequest, unsupportedMediaType, unsupportedPatch } from './status.ts';

interface Content {
  readonly contentType: string;
  readonly body: Buffer;
}

/** The object in a request's body, which must be of that kind if it says so; null stands for an absent field, as in Go. */
export function readObject({ contentType, body }: Content, kind: string, apiVersion: string): unknown {
  if (mediaType(contentType) === PROTOBUF) {
    const object = readProtobuf(body);
    if (!object) throw unsupportedMediaType();
    requireKind(object, kind, apiVersion);
    return object;
  }
  if (mediaType(contentType) !== 'application/json') throw unsupportedMediaType();
  const unrecognized = `the object provided is unrecognized (must be of type ${kind}): `;
  const parse = `${UNREADABLE}json parse error: `;
  const value = parsed(body, (why) => `${unrecognized}${parse}${why} (${summary(body)})`, withoutNull) ?? {};
  if (!isObject(value)) {
    const struct =
      'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
    const why = `json: cannot unmarshal ${goTypeOf(value)} into Go value of type ${struct}`;
    throw badRequest(`${unrecognized}${parse}${why} (${summary(body)})`);
  }
  requireKind(value, kind, apiVersion);
  return value;
}

export function readMergePatch({ contentType, body }: Content): unknown {
  const type = mediaType(contentType);
  if (type !== 'application/merge-patch+json' && type !== 'application/strategic-merge-patch+json') {
    throw unsupportedPatch();
  }
  const value = parsed(body, (why) => `error decoding patch: ${why}`);
  if (isObject(value)) return value;
  const why = `json: cannot unmarshal ${goTypeOf(value)} into Go value of type map[string]interface {}`;
  throw badRequest(`error decoding patch: ${why}`);
}

/** Where there is no body, the query has them. */
export function readDeleteOptions({ contentType, body }: Content, query: URLSearchParams): unknown {
  if (body.length === 0) return { gracePeriodSeconds: seconds(query), dryRun: query.getAll('dryRun') };
  const type = mediaType(contentType);
  const fromProtobuf = type === PROTOBUF ? readProtobuf(body) : undefined;
  if (fromProtobuf) return fromProtobuf;
  if (type !== 'application/json') throw unsupportedMediaType();
  return parsed(body, (why) => `${UNREADABLE}json parse error: ${why}`, withoutNull);
}

function seconds(query: URLSearchParams): number | undefined {
  const text = query.get('gracePeriodSeconds');
  if (!text) return undefined;
  if (/^[-+]?\d+$/.test(text)) return Number(text);
  throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** Clients written in Go send what they have types for in this form. */
const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const UNREADABLE = "couldn't get version/kind; ";

function mediaType(contentType: string): string {
  return contentType.split(';')[0]?.trim().toLowerCase() || 'application/json';
}

function withoutNull(_key: string, value: unknown): unknown {
  return value === null ? undefined : value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return goTypeOf(value) === 'object' && value !== null;
}

function parsed(
  body: Buffer,
  message: (why: string) => string,
  reviver?: (key: string, value: unknown) => unknown,
): unknown {
  const text = body.toString();
  try {
    return JSON.parse(text, reviver);
  } catch (error) {
    const position = /at position (\d+)/.exec(String(error))?.[1];
    const at = position === undefined ? text.length : Number(position);
    throw badRequest(
      message(at >= text.length ? 'unexpected end of JSON input' : `invalid character '${text.charAt(at)}'`),
    );
  }
}

/** What an API server repeats of a body that it cannot read. */
function summary(body: Buffer): string {
  if (body.length === 0) return '<empty>';
  const start = body.subarray(0, 1024);
  return `${start.toString(start[0] === 0x7b ? 'utf8' : 'hex')}${body.length > 1024 ? ' ...' : ''}`;
}

const REVIEW_KINDS = new Set([
  ...['TokenReview', 'TokenRequest', 'SelfSubjectReview'].map((kind) => `authentication.k8s.io/v1/${kind}`),
  ...['SubjectAccessReview', 'LocalSubjectAccessReview', 'SelfSubjectAccessReview', 'SelfSubjectRulesReview'].map(
    (kind) => `authorization.k8s.io/v1/${kind}`,
  ),
]);

function requireKind(object: Record<string, unknown>, kind: string, apiVersion: string): void {
  const { kind: sentKind = kind, apiVersion: sentVersion = apiVersion } = object;
  if (sentKind === kind && sentVersion === apiVersion) return;
  const version = String(sentVersion);
  const isKnown =
    KINDS.some((known) => known.kind === sentKind && known.apiVersion === version) ||
    REVIEW_KINDS.has(`${version}/${String(sentKind)}`);
  const internal = apiVersion.includes('/') ? apiVersion.split('.')[0] : 'core';
  const why = isKnown
    ? `converting (v1.${String(sentKind)}) to (${internal}.${kind}): unknown conversion`
    : `no kind "${String(sentKind)}" is registered for version "${version}" in scheme "pkg/runtime/scheme.go:111"`;
  throw badRequest(
    `${String(sentKind)} in version "${version.split('/').at(-1)}" cannot be handled as a ${kind}: ${why}`,
  );
}
