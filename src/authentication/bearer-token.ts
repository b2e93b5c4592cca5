import { ServiceAccountAuthError } from './errors.ts';

/** Longer than any token Kubernetes issues (about 1 kB), shorter than Node's limit for all headers (16 KiB). */
export const maxTokenLength = 8192;

/** `token68` of RFC 7235 section 2.1, which RFC 6750 section 2.1 calls `b64token`. */
const token68 = /^[A-Za-z0-9\-._~+/]+=*$/;

/** `auth-scheme [ 1*SP rest ]` of RFC 7235 section 2.1; a scheme is a `token` of RFC 7230 section 3.2.6. */
const credentials = /^([!#$%&'*+\-.^_`|~A-Za-z0-9]+)(?: +(\S.*))?$/;

/**
 * The bearer token of an `Authorization` header, by RFC 6750 section 2.1.
 *
 * @param authorization the header's value, or a list of them where the request carries several
 * @returns a non-empty token of token68 characters, at most 8,192 of them
 * @throws {ServiceAccountAuthError} `no_credentials` where there is no header or it names another scheme;
 * `malformed_credentials`, `several_credentials`, `token_too_long`
 */
export function bearerToken(authorization: string | readonly string[] | undefined): string {
  if (typeof authorization === 'object') {
    if (authorization.length > 1) throw new ServiceAccountAuthError('several_credentials');
    return bearerToken(authorization[0]);
  }
  if (authorization === undefined || authorization === '') throw new ServiceAccountAuthError('no_credentials');
  const [, scheme, rest] = credentials.exec(authorization) ?? [];
  if (scheme === undefined) throw new ServiceAccountAuthError('malformed_credentials');
  if (scheme.toLowerCase() !== 'bearer') throw new ServiceAccountAuthError('no_credentials');
  if (rest === undefined) throw new ServiceAccountAuthError('malformed_credentials');
  const fault = tokenFault(rest);
  if (fault !== undefined) throw new ServiceAccountAuthError(fault);
  return rest;
}

/** What keeps a text from being a bearer token: known before anything else looks at it. */
export function tokenFault(
  token: unknown,
): 'token_too_long' | 'malformed_credentials' | 'several_credentials' | undefined {
  if (typeof token !== 'string') return 'malformed_credentials';
  if (token.length > maxTokenLength) return 'token_too_long';
  if (token68.test(token)) return undefined;
  return token.includes(',') ? 'several_credentials' : 'malformed_credentials';
}
