import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { type AuthenticateOptions, CoreAuthenticator } from '../authentication/authenticator.ts';
import { bearerToken, maxTokenLength, tokenFault } from '../authentication/bearer-token.ts';
import {
  type CredentialsErrorCode,
  defaultRealm,
  inRealm,
  isServiceAccountAuthError,
  ServiceAccountAuthError,
} from '../authentication/errors.ts';
import type { EventChannel } from '../authentication/events.ts';
import type { ServiceAccountIdentity } from '../authentication/service-account-identity.ts';
import { authenticatorOptionNames, type AuthenticatorOptions } from '../authenticator-options.ts';
import { checkOptions, functionOption, objectWith } from '../check-options.ts';
import { composeAuthenticator } from '../create-authenticator.ts';
import type { Authenticator, KubernetesAuthenticator } from '../kubernetes-authenticator.ts';
import {
  type AuthenticatedRequest,
  type Mode,
  type Next,
  requestContext,
  type RequestContext,
} from './request-context.ts';
import { thrownError } from './thrown-error.ts';

/** The least of an authenticator: enough for a fake in one line. */
export type AuthenticatorLike = Pick<Authenticator, 'authenticate'> &
  Partial<Pick<Authenticator, 'cached' | 'allowed' | 'callingPod'>>;

export interface MiddlewareOptions {
  /** What happens to requests without an identity. Default: `enforce`. */
  readonly mode?: Mode;
  /** The `realm` of `WWW-Authenticate`. Default: `kubernetes`. */
  readonly realm?: string;
  /**
   * Where the bearer token comes from, instead of the `Authorization` header. `undefined` means that the request has no
   * credentials; what it throws goes to Express.
   */
  readonly getToken?: (req: IncomingMessage) => string | undefined;
}

/** The middleware's own options, and those of the authenticator that it makes. */
export type K8sServiceAccountAuthOptions = MiddlewareOptions &
  AuthenticatorOptions & { readonly authenticator?: never };

/** An authenticator brings its own options. */
export type SharedAuthenticatorOptions<Auth extends AuthenticatorLike> = MiddlewareOptions & {
  /** An authenticator made elsewhere, so that one cache serves several apps and protocols. */
  readonly authenticator: Auth;
} & { readonly [Option in keyof AuthenticatorOptions]?: never };

/** What `k8sServiceAccountAuth` returns: give it to `app.use`. */
export interface ServiceAccountAuthMiddleware<Auth extends AuthenticatorLike = Authenticator> {
  (req: IncomingMessage, res: ServerResponse, next: Next): void;
  /** What stands behind the middleware: for `ready()`, `close()`, `status()` and events. */
  readonly authenticator: Auth;
  /** As it was given, or `enforce`. */
  readonly mode: Mode;
}

const ownOptions = {
  mode: z.enum(['enforce', 'optional', 'report']).default('enforce'),
  // What a quoted-string may hold without escapes (RFC 9110 section 5.6.4).
  realm: z
    .string()
    .regex(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/, 'expected printable ASCII without " and \\')
    .default(defaultRealm),
  getToken: functionOption<NonNullable<MiddlewareOptions['getToken']>>().optional(),
  authenticator: objectWith<AuthenticatorLike>('authenticate').optional(),
};

const schema = z.strictObject({
  ...ownOptions,
  ...Object.fromEntries(authenticatorOptionNames.map((name) => [name, z.unknown().optional()])),
});

/**
 * Express middleware that tells which workload is calling: it verifies the request's bearer token (RFC 6750) with the
 * Kubernetes TokenReview API, remembers the verdict, and puts the ServiceAccount on `req.serviceAccount`.
 *
 * Failures go through `next(error)` as `ServiceAccountAuthError`, which Express' default error handler renders: 401 for
 * missing or bad credentials, 400 for malformed ones, 503 with `Retry-After` where nobody could say.
 *
 * @throws {TypeError} where an option is wrong
 */
export function k8sServiceAccountAuth(options?: K8sServiceAccountAuthOptions): ServiceAccountAuthMiddleware;
export function k8sServiceAccountAuth<Auth extends AuthenticatorLike>(
  options: SharedAuthenticatorOptions<Auth>,
): ServiceAccountAuthMiddleware<Auth>;
export function k8sServiceAccountAuth(options: object = {}): ServiceAccountAuthMiddleware<AuthenticatorLike> {
  // Not by the class: to import `node:http` is to load all that it has, the WebSockets of undici too.
  if ('rawHeaders' in Object(options) || arguments.length > 1) {
    throw new TypeError('k8sServiceAccountAuth makes the middleware: write app.use(k8sServiceAccountAuth())');
  }
  const {
    mode,
    realm,
    getToken,
    authenticator: given,
    ...rest
  } = checkOptions(schema, options, 'k8sServiceAccountAuth');
  if (given !== undefined && Object.keys(rest).length > 0) {
    throw new TypeError(`k8sServiceAccountAuth: give either "authenticator" or "${Object.keys(rest).join('", "')}"`);
  }
  const authenticator: AuthenticatorLike = given ?? composeAuthenticator(rest, 'k8sServiceAccountAuth');
  const context: RequestContext = {
    mode,
    realm,
    emit: emitterOf(authenticator),
    decide: deciderOf(authenticator),
    podOf: podFinderOf(authenticator),
  };

  const fail = (error: unknown, next: Next): void => {
    if (!isServiceAccountAuthError(error)) return next(thrownError(error));
    next(mode === 'report' || mayBeAnonymous(error) ? undefined : inRealm(error, realm));
  };

  const mayBeAnonymous = ({ code }: ServiceAccountAuthError): boolean =>
    mode === 'optional' && code === 'no_credentials';

  /** Asynchronous in whatever way the authenticator fails, and never without an identity. */
  const authenticate = async (token: string, how: AuthenticateOptions): Promise<ServiceAccountIdentity> => {
    const identity: ServiceAccountIdentity | undefined = await authenticator.authenticate(token, how);
    if (identity === undefined) throw new TypeError('The authenticator resolved without an identity');
    return identity;
  };

  // The cache of an authenticator of ours holds nothing but bearer tokens, so that it may be asked for a text which is not
  // known to be one. For most requests this is all there is to do.
  const ours = getToken === undefined && authenticator instanceof CoreAuthenticator ? authenticator : undefined;

  const middleware = (req: AuthenticatedRequest, res: ServerResponse, next: Next): void => {
    const text = ours && textAfterScheme(req);
    req[requestContext] = context;
    req.serviceAccount = text === undefined ? undefined : ours?.cached(text);
    if (req.serviceAccount === undefined) authenticateInFull(req, res, next, text);
    else next();
  };

  const authenticateInFull = (
    req: AuthenticatedRequest,
    res: ServerResponse,
    next: Next,
    notCached: string | undefined,
  ): void => {
    let token: string;
    try {
      token = getToken === undefined ? tokenOfHeader(req) : checkedToken(getToken(req));
    } catch (error) {
      if (isServiceAccountAuthError(error) && !mayBeAnonymous(error)) {
        const code = error.code as CredentialsErrorCode | 'token_too_long';
        context.emit('rejected', { code, reason: error.message, credentialId: undefined });
      }
      return fail(error, next);
    }
    const cached = token === notCached ? undefined : authenticator.cached?.(token);
    if (cached !== undefined) {
      req.serviceAccount = cached;
      return next();
    }
    const gone = new AbortController();
    const abandon = (): void => gone.abort();
    res.once('close', abandon);
    authenticate(token, { signal: gone.signal, peer: addressOf(req) }).then(
      (identity) => {
        res.off('close', abandon);
        if (gone.signal.aborted) return;
        req.serviceAccount = identity;
        next();
      },
      (error: unknown) => {
        res.off('close', abandon);
        // Nobody is there any more to be answered.
        if (!gone.signal.aborted) fail(error, next);
      },
    );
  };
  return Object.assign(middleware, { authenticator, mode });
}

/** Only the authenticators made here have events; a fake need not. */
function emitterOf(authenticator: AuthenticatorLike): RequestContext['emit'] {
  const { emit } = authenticator as Partial<Pick<EventChannel, 'emit'>>;
  return emit === undefined ? () => {} : emit.bind(authenticator);
}

/**
 * Who has connected to us: what `X-Forwarded-For` says anyone can write. Requests that tests and adapters make up may have
 * no socket.
 */
function addressOf({ socket }: Partial<IncomingMessage>): string | undefined {
  return socket?.remoteAddress;
}

/** Those made here answer at once what they remember. */
function deciderOf(authenticator: AuthenticatorLike): NonNullable<RequestContext['decide']> {
  const { decide } = authenticator as Partial<Pick<KubernetesAuthenticator, 'decide'>>;
  if (decide !== undefined) return decide.bind(authenticator);
  return (identity, { attributes }) => {
    if (authenticator.allowed === undefined) {
      throw new TypeError(
        'The authenticator of k8sServiceAccountAuth() has no allowed(), which requirePermission asks',
      );
    }
    return authenticator.allowed(identity, attributes);
  };
}

function podFinderOf(authenticator: AuthenticatorLike): NonNullable<RequestContext['podOf']> {
  const { podOf } = authenticator as Partial<Pick<KubernetesAuthenticator, 'podOf'>>;
  if (podOf !== undefined) return podOf.bind(authenticator);
  return (identity) => {
    if (authenticator.callingPod === undefined) {
      throw new TypeError(
        'The authenticator of k8sServiceAccountAuth() has no callingPod(), which requireBoundPod asks',
      );
    }
    return authenticator.callingPod(identity);
  };
}

const usualScheme = 'Bearer ';

/**
 * What follows the scheme, where a request has one `Authorization` header and that begins as usual. No more is known of it
 * than its length: looking at each of its characters takes longer than a look into the cache.
 */
function textAfterScheme(req: IncomingMessage): string | undefined {
  const { authorization } = req.headers;
  if (typeof authorization !== 'string' || authorization.length > usualScheme.length + maxTokenLength) return undefined;
  if (!authorization.startsWith(usualScheme) || hasSeveralCredentials(req)) return undefined;
  return authorization.slice(usualScheme.length);
}

function tokenOfHeader(req: IncomingMessage): string {
  if (hasSeveralCredentials(req)) throw new ServiceAccountAuthError('several_credentials');
  return bearerToken(req.headers.authorization);
}

/** Node drops all but the first `Authorization` of a request, so that only the raw headers show several. */
function hasSeveralCredentials({ rawHeaders }: IncomingMessage): boolean {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 13 && name.toLowerCase() === 'authorization') count++;
  }
  return count > 1;
}

function checkedToken(token: unknown): string {
  if (token === undefined) throw new ServiceAccountAuthError('no_credentials');
  const fault = tokenFault(token);
  if (fault !== undefined) throw new ServiceAccountAuthError(fault);
  return token as string;
}
