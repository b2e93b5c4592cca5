import { createHash, createPublicKey, type KeyObject } from 'node:crypto';

/** The `kid` that kube-apiserver gives a key: base64url of the SHA-256 of its DER-encoded public part. */
export function keyId(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
}
