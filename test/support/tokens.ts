import type { Clock } from '../../src/authentication/clock.ts';
import type { Review } from '../../src/authentication/reviewer.ts';

export const audience = 'orders';

export const base64url = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url');

/** As long as an RS256 signature of a 2048-bit key; 256 bytes, so that its last character has four unused bits. */
const signature = base64url(Buffer.alloc(256, 0xa5));

/** A well-formed JWT that nobody signed. */
export function unsignedToken(claims: unknown, header: unknown = { alg: 'RS256', kid: 'key-1' }): string {
  return [base64url(JSON.stringify(header)), base64url(JSON.stringify(claims)), signature].join('.');
}

export type Claims = Record<string, unknown> & { 'kubernetes.io': Record<string, unknown> };

/** What the token of the Pod `shop/web-1` on `node-a` claims: issued ten minutes ago, good for another hour. */
export function podClaims(clock: Clock, changes: Record<string, unknown> = {}): Claims {
  const now = clock.now() / 1000;
  return {
    aud: [audience],
    iss: 'https://kubernetes.default.svc.cluster.local',
    sub: 'system:serviceaccount:shop:web',
    iat: now - 600,
    nbf: now - 600,
    exp: now + 3_600,
    jti: 'credential-1',
    'kubernetes.io': {
      namespace: 'shop',
      serviceaccount: { name: 'web', uid: 'uid-of-web' },
      pod: { name: 'web-1', uid: 'uid-of-web-1' },
      node: { name: 'node-a', uid: 'uid-of-node-a' },
    },
    ...changes,
  };
}

let serial = 0;

/** A token of the Pod `shop/web-1`, unlike every other. */
export function podToken(clock: Clock, changes: Record<string, unknown> = {}): string {
  serial += 1;
  return unsignedToken(podClaims(clock, { serial, ...changes }));
}

export type AuthenticatedReview = Extract<Review, { authenticated: true }>;

/** What the API server says of a `podToken`. */
export function podReview(changes: Partial<AuthenticatedReview> = {}): AuthenticatedReview {
  return {
    authenticated: true,
    username: 'system:serviceaccount:shop:web',
    uid: 'uid-of-web',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
    extra: {
      'authentication.kubernetes.io/credential-id': ['JTI=credential-1'],
      'authentication.kubernetes.io/pod-name': ['web-1'],
      'authentication.kubernetes.io/pod-uid': ['uid-of-web-1'],
      'authentication.kubernetes.io/node-name': ['node-a'],
      'authentication.kubernetes.io/node-uid': ['uid-of-node-a'],
    },
    audiences: [audience],
    ...changes,
  };
}

export const refusal: Review = { authenticated: false, error: 'token has been invalidated' };
