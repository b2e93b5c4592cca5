import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

/** A key that signs tokens, as an API server has them. */
export interface SigningKey {
  /** Derived from the public key as Kubernetes does. */
  readonly keyId: string;
  readonly algorithm: 'RS256' | 'ES256';
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Whether `/openid/v1/jwks` shows it. */
  readonly published: boolean;
}

export function signingKey(privateKey: KeyObject, published = true): SigningKey {
  const publicKey = createPublicKey(privateKey);
  // keyIDFromPublicKey of Kubernetes: the hash of the DER of SubjectPublicKeyInfo.
  const keyId = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
  const algorithm = publicKey.asymmetricKeyType === 'ec' ? 'ES256' : 'RS256';
  return { keyId, algorithm, privateKey, publicKey, published };
}

/** The published ones, as `/openid/v1/jwks` shows them. */
export function jsonWebKeySet(keys: readonly SigningKey[]): { readonly keys: readonly JsonWebKey[] } {
  return { keys: keys.filter(({ published }) => published).map(jsonWebKey) };
}

function jsonWebKey({ keyId, algorithm, publicKey }: SigningKey): JsonWebKey {
  return { use: 'sig', kid: keyId, alg: algorithm, ...publicKey.export({ format: 'jwk' }) };
}
