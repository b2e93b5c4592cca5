/**
 * What is to come of a request, said a second time: plainly, slowly, and without anything of `src/`. It is what the
 * fuzzed code is compared with.
 */
export type Row = 'identity' | 'no credentials' | 'invalid request' | 'invalid token' | 'unavailable';

const tokenCharacters = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const token68Characters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~+/';
const consistsOf = (text: string, characters: string): boolean =>
  text !== '' && text.split('').every((character) => characters.includes(character));

/** The bearer token of these `Authorization` headers, or the row that they end in. */
export function tokenIn(headers: readonly string[]): { readonly token: string } | { readonly row: Row } {
  if (headers.length > 1) return { row: 'invalid request' };
  const header = headers[0] ?? '';
  if (header === '') return { row: 'no credentials' };
  const [scheme = '', ...words] = header.split(' ');
  if (!consistsOf(scheme, tokenCharacters)) return { row: 'invalid request' };
  const rest = words.join(' ').replace(/^ +/, '');
  // No scheme's credentials are spaces, begin with another kind of space, or go on on another line.
  if (words.length > 0 && (rest === '' || rest[0]?.trim() === '')) return { row: 'invalid request' };
  if (['\n', '\r', '\u2028', '\u2029'].some((end) => rest.includes(end))) return { row: 'invalid request' };
  if (scheme.toLowerCase() !== 'bearer') return { row: 'no credentials' };
  if (rest.length > 8192) return { row: 'invalid token' };
  return isToken68(rest) ? { token: rest } : { row: 'invalid request' };
}

function isToken68(text: string): boolean {
  let end = text.length;
  while (end > 0 && text[end - 1] === '=') end -= 1;
  return consistsOf(text.slice(0, end), token68Characters);
}

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const isSomeText = (value: unknown): value is string => isText(value) && value !== '';
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);
const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** Whether there is nothing, or something of this kind. */
const maybe = (value: unknown, is: (one: unknown) => boolean): boolean => value === undefined || is(value);

const isReference = (value: unknown): boolean =>
  isObject(value) && isSomeText(value['name']) && isSomeText(value['uid']);
const isNode = (value: unknown): boolean =>
  isObject(value) && isSomeText(value['name']) && maybe(value['uid'], isSomeText);
const isBound = (value: unknown): boolean =>
  isObject(value) &&
  isSomeText(value['namespace']) &&
  isReference(value['serviceaccount']) &&
  maybe(value['pod'], isReference) &&
  maybe(value['secret'], isReference) &&
  maybe(value['node'], isNode);

const legacy = 'kubernetes.io/serviceaccount/';
const legacyNames = ['namespace', 'service-account.name', 'service-account.uid', 'secret.name'].map(
  (name) => legacy + name,
);

function areClaims(claims: unknown): claims is Json {
  return (
    isObject(claims) &&
    maybe(claims['aud'], (aud) => isText(aud) || isTexts(aud)) &&
    ['exp', 'nbf', 'iat'].every((name) => maybe(claims[name], isTime)) &&
    maybe(claims['jti'], (jti) => isText(jti) && jti.length <= 256) &&
    maybe(claims['kubernetes.io'], isBound) &&
    legacyNames.every((name) => maybe(claims[name], isSomeText))
  );
}

/** Whether these are claims that are worth a review now. */
function areTimelyClaimsFor(audience: string, claims: unknown, now: number): claims is Json {
  if (!areClaims(claims)) return false;
  const { aud, exp, nbf, iat } = claims as { aud?: string | string[]; exp?: number; nbf?: number; iat?: number };
  if (exp !== undefined && exp + 5 <= now) return false;
  if ((nbf ?? 0) > now + 60 || (iat ?? 0) > now + 60) return false;
  return [aud].flat().includes(audience);
}

function isTokenReview(answer: unknown): answer is { status: Json } {
  if (!isObject(answer) || !isObject(answer['status'])) return false;
  const { user, audiences, authenticated, error } = answer['status'];
  return (
    maybe(answer['kind'], (kind) => kind === 'TokenReview') &&
    maybe(answer['apiVersion'], (version) => version === 'authentication.k8s.io/v1') &&
    maybe(authenticated, (value) => typeof value === 'boolean') &&
    maybe(error, isText) &&
    maybe(audiences, isTexts) &&
    maybe(
      user,
      (value) =>
        isObject(value) &&
        maybe(value['username'], isText) &&
        maybe(value['uid'], isText) &&
        maybe(value['groups'], isTexts) &&
        maybe(
          value['extra'],
          (extra) => isObject(extra) && Object.keys(extra).every((key) => key === '__proto__' || isTexts(extra[key])),
        ),
    )
  );
}

const isLabel = (text: string): boolean =>
  text.length <= 63 &&
  consistsOf(text, '0123456789abcdefghijklmnopqrstuvwxyz-') &&
  !text.startsWith('-') &&
  !text.endsWith('-');
const isSubdomain = (text: string): boolean => {
  const labels = text.split('.');
  return (
    text.length <= 253 &&
    labels.every(
      (label) =>
        consistsOf(label, '0123456789abcdefghijklmnopqrstuvwxyz-') && !label.startsWith('-') && !label.endsWith('-'),
    )
  );
};

/** What a token with this payload comes to, of which the API server says this. */
export function rowOf(payload: string, answer: unknown, token: string, audience: string, now: number): Row {
  const claims = jsonOf(payload);
  if (!areTimelyClaimsFor(audience, claims, now)) return 'invalid token';
  if (!isTokenReview(answer)) return 'unavailable';
  const {
    authenticated,
    error,
    user = {},
    audiences = [],
  } = answer.status as {
    authenticated?: boolean;
    error?: string;
    user?: { username?: string; uid?: string; extra?: Record<string, string[]> };
    audiences?: string[];
  };
  if (authenticated !== true) return 'invalid token';
  const { username = '', uid = '', extra = {} } = user;
  if (username === '' || (error ?? '') !== '' || JSON.stringify(answer.status).includes(token)) return 'unavailable';
  if (!audiences.includes(audience)) return 'invalid token';

  const own = (key: string): string[] => [Object.hasOwn(extra, key) ? (extra[key] ?? []) : []].flat();
  const agrees = (key: string, claimed: string | undefined): boolean => {
    const has = Object.hasOwn(extra, `authentication.kubernetes.io/${key}`);
    const values = own(`authentication.kubernetes.io/${key}`);
    return claimed === undefined ? !has : values.length === 1 && values[0] === claimed;
  };
  const bound = claims['kubernetes.io'] as
    | {
        namespace: string;
        serviceaccount: { name: string; uid: string };
        pod?: { name: string; uid: string };
        node?: { name: string; uid?: string };
      }
    | undefined;
  const [namespace, name, accountUid, secret] = bound
    ? [bound.namespace, bound.serviceaccount.name, bound.serviceaccount.uid, 'not looked at']
    : legacyNames.map((key) => claims[key] as string | undefined);
  if (namespace === undefined || name === undefined || secret === undefined) return 'invalid token';
  const jti = claims['jti'] as string | undefined;
  const isKnown =
    isLabel(namespace) &&
    isSubdomain(name) &&
    username === `system:serviceaccount:${namespace}:${name}` &&
    uid === accountUid &&
    agrees('pod-name', bound?.pod?.name) &&
    agrees('pod-uid', bound?.pod?.uid) &&
    agrees('node-name', bound?.node?.name) &&
    agrees('node-uid', bound?.node?.uid) &&
    (!Object.hasOwn(extra, 'authentication.kubernetes.io/credential-id') ||
      (jti !== undefined && agrees('credential-id', `JTI=${jti}`)));
  return isKnown ? 'identity' : 'invalid token';
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
