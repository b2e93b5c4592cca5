import { type ByVersion, byVersion } from './by-version.ts';
import { KUBERNETES_ISSUER } from './issuer.ts';

export interface ExpectedOfToken {
  /** The API server's answer to the TokenReview, whole. */
  readonly review: { readonly http: number; readonly body: object };
  /** The library's: the identity, or the code of its error. */
  readonly verdict: object | string;
  /** The Express app's. */
  readonly response: object;
}

export type Expected =
  ExpectedOfToken | { readonly answer: { readonly http: number; readonly body: unknown } | ByVersion };

/** Of the kinds that are answered but never stored. */
export const metadataOfReviews: unknown = byVersion({ '1.33': { creationTimestamp: null } }, {});

/** Whom a token is of, and what it is bound to. Names are those that the scenario gave. */
export interface Caller {
  /** Default: `shop`. */
  readonly namespace?: string;
  /** Default: `web`. */
  readonly serviceAccount?: string;
  readonly serviceAccountUid?: string;
  readonly pod?: string;
  readonly podUid?: string;
  /** Bound to it, or named by the Pod's token. */
  readonly node?: string;
  /** `null`: the token names the Node without a uid. */
  readonly nodeUid?: string | null;
  /** In no answer: the library takes it from the claims. */
  readonly secret?: string;
  /** Only the library knows about it. Default: the Secret's. `null`: the token does not say. */
  readonly secretUid?: string | null;
  /** A legacy Secret token has no `jti`, no `iat` and no `exp`. Default: false. */
  readonly legacy?: boolean;
  /** Whether it has a `jti`. Default: true. */
  readonly hasCredentialId?: boolean;
  /** Whether it has an `exp`. Default: true. */
  readonly expires?: boolean;
  /** What the service asks for. Default: `orders`. */
  readonly asked?: readonly string[];
  /** Which of them the token is for. Default: those asked for, or the API server's own if none. */
  readonly audiences?: readonly string[];
}

/** The token is good for everybody. */
export function accepted(caller: Caller = {}): ExpectedOfToken {
  return { review: authenticated(caller), ...identified(caller) };
}

/** The API server refuses the token, and so the library, which leaves it to the API server unless a code is given. */
export function refused(
  error: string,
  { asked = ['orders'], code = 'token_refused' }: { asked?: readonly string[]; code?: string } = {},
): ExpectedOfToken {
  return { review: unauthenticated(error, asked), ...rejected(code) };
}

export function authenticated(caller: Caller = {}): ExpectedOfToken['review'] {
  const { asked = ['orders'], audiences = asked.length > 0 ? asked : [KUBERNETES_ISSUER] } = caller;
  const extra = extraOf(caller);
  const user = {
    ...userOf(caller),
    ...(Object.keys(extra).length > 0 && { extra }),
  };
  return tokenReview(asked, { authenticated: true, user, audiences });
}

export function unauthenticated(error: string, asked: readonly string[] = ['orders']): ExpectedOfToken['review'] {
  return tokenReview(asked, { user: {}, error });
}

/** The API server takes whatever it finds no token in for an anonymous caller, and says so as of anybody else. */
export const authenticatedAsAnonymous: ExpectedOfToken['review'] = tokenReview(['orders'], {
  authenticated: true,
  user: { username: 'system:anonymous', groups: ['system:unauthenticated'] },
  audiences: ['orders'],
});

export function tokenReview(asked: readonly string[], status: object): ExpectedOfToken['review'] {
  return {
    http: 201,
    body: {
      kind: 'TokenReview',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: metadataOfReviews,
      spec: { token: '<token>', ...(asked.length > 0 && { audiences: asked }) },
      status,
    },
  };
}

/** The library's verdict and the response, where the library finds out who is calling. */
export function identified(caller: Caller = {}): Pick<ExpectedOfToken, 'verdict' | 'response'> {
  const { namespace = 'shop', serviceAccount = 'web', pod, node, secret, legacy = false } = caller;
  const { asked = ['orders'], audiences = asked.length > 0 ? asked : [KUBERNETES_ISSUER] } = caller;
  const podReference = pod !== undefined && { name: pod, uid: caller.podUid ?? `<Pod ${pod}>` };
  const nodeReference = node !== undefined && {
    name: node,
    ...(caller.nodeUid !== null && { uid: caller.nodeUid ?? `<Node ${node}>` }),
  };
  const secretReference = secret !== undefined && {
    name: secret,
    ...(caller.secretUid !== null && !legacy && { uid: caller.secretUid ?? `<Secret ${secret}>` }),
  };
  const boundTo =
    (podReference && { kind: 'Pod', ...podReference }) ||
    (secretReference && { kind: 'Secret', ...secretReference }) ||
    (nodeReference && { kind: 'Node', ...nodeReference });
  return {
    verdict: {
      ...userOf(caller),
      namespace,
      name: serviceAccount,
      audiences,
      ...(boundTo && { boundTo }),
      ...(podReference && { pod: podReference }),
      ...(nodeReference && { node: nodeReference }),
      ...(!legacy && caller.hasCredentialId !== false && { credentialId: '<jti>' }),
      ...(!legacy && { issuedAt: '<iat>' }),
      ...(!legacy && caller.expires !== false && { expiresAt: '<exp>' }),
      reviewedAt: '<now>',
      extra: extraOf(caller),
    },
    response: { status: 200, caller: `${namespace}/${serviceAccount}` },
  };
}

const invalidToken = 'error="invalid_token", error_description="The bearer token is not accepted"';
const invalidRequest = 'error="invalid_request", error_description="The Authorization header is malformed"';

/** The caller's fault: 401. */
export function rejected(code: string): Pick<ExpectedOfToken, 'verdict' | 'response'> {
  return { verdict: code, response: { status: 401, challenge: `Bearer realm="kubernetes", ${invalidToken}` } };
}

/** No bearer token at all: 401 without an error code (RFC 6750 section 3.1). */
export const withoutCredentials: Pick<ExpectedOfToken, 'verdict' | 'response'> = {
  verdict: 'no_credentials',
  response: { status: 401, challenge: 'Bearer realm="kubernetes"' },
};

/** A header that makes no sense: 400. */
export function malformed(code = 'malformed_credentials'): Pick<ExpectedOfToken, 'verdict' | 'response'> {
  return { verdict: code, response: { status: 400, challenge: `Bearer realm="kubernetes", ${invalidRequest}` } };
}

/** Bytes that no header may hold (RFC 9110 section 5.5): Node answers before Express sees the request. */
export const refusedByNode: Pick<ExpectedOfToken, 'verdict' | 'response'> = {
  verdict: 'malformed_credentials',
  response: { status: 400 },
};

/** Our fault, or the API server's: 503. */
export function unavailable(code: string): Pick<ExpectedOfToken, 'verdict' | 'response'> {
  return { verdict: code, response: { status: 503, retryAfter: '1' } };
}

/** The kind `Status`. */
export function failure(
  http: number,
  reason: string,
  message: string,
  details?: object,
): { readonly http: number; readonly body: object } {
  return {
    http,
    body: {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      ...(details && { details }),
      code: http,
    },
  };
}

function userOf({ namespace = 'shop', serviceAccount = 'web', serviceAccountUid }: Caller): object {
  return {
    username: `system:serviceaccount:${namespace}:${serviceAccount}`,
    uid: serviceAccountUid ?? `<ServiceAccount ${serviceAccount}>`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  };
}

function extraOf({
  pod,
  podUid,
  node,
  nodeUid,
  legacy,
  hasCredentialId,
}: Caller): Readonly<Record<string, readonly string[]>> {
  const values = {
    ...(!legacy && hasCredentialId !== false && { 'credential-id': 'JTI=<jti>' }),
    ...(node !== undefined && { 'node-name': node }),
    ...(node !== undefined && nodeUid !== null && { 'node-uid': nodeUid ?? `<Node ${node}>` }),
    ...(pod !== undefined && { 'pod-name': pod, 'pod-uid': podUid ?? `<Pod ${pod}>` }),
  };
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [`authentication.kubernetes.io/${key}`, [value]]),
  );
}
