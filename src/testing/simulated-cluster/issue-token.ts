import { randomUUID } from 'node:crypto';
import type { TokenAuthority } from './authenticate.ts';
import type { Ref } from './claims.ts';
import { signToken } from './sign-token.ts';
import type { SigningKey } from './signing-key.ts';

export interface TokenContent {
  readonly namespace: string;
  readonly serviceaccount: Ref;
  readonly pod?: Ref;
  readonly node?: { readonly name: string; readonly uid?: string };
  readonly secret?: Ref;
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  readonly warnAfterSeconds?: number;
}

/** A token as kube-apiserver issues it. */
export function issueToken(authority: TokenAuthority, content: TokenContent): string {
  const { namespace, serviceaccount, pod, node, secret, audiences, expirationSeconds, warnAfterSeconds } = content;
  const now = Math.floor(authority.clock.now() / 1000);
  return signWithClusterKey(authority, {
    aud: audiences,
    exp: now + expirationSeconds,
    iat: now,
    iss: authority.issuers[0],
    jti: randomUUID(),
    'kubernetes.io': {
      namespace,
      ...(node && { node }),
      ...(pod && { pod }),
      ...(secret && { secret }),
      serviceaccount,
      ...(warnAfterSeconds !== undefined && { warnafter: now + warnAfterSeconds }),
    },
    nbf: now,
    sub: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
  });
}

/** The token that Kubernetes puts into a Secret of the type `kubernetes.io/service-account-token`. */
export function issueLegacyToken(
  authority: TokenAuthority,
  namespace: string,
  secretName: string,
  serviceAccount: Ref,
): string {
  return signWithClusterKey(authority, {
    iss: 'kubernetes/serviceaccount',
    'kubernetes.io/serviceaccount/namespace': namespace,
    'kubernetes.io/serviceaccount/secret.name': secretName,
    'kubernetes.io/serviceaccount/service-account.name': serviceAccount.name,
    'kubernetes.io/serviceaccount/service-account.uid': serviceAccount.uid,
    sub: `system:serviceaccount:${namespace}:${serviceAccount.name}`,
  });
}

export function currentKey({ keys }: TokenAuthority): SigningKey {
  const [key] = keys;
  if (!key) throw new Error('A cluster has at least one signing key');
  return key;
}

function signWithClusterKey(authority: TokenAuthority, claims: object): string {
  const { algorithm, keyId, privateKey } = currentKey(authority);
  return signToken({ alg: algorithm, kid: keyId }, claims, privateKey);
}
