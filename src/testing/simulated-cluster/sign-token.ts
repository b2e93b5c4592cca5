import { createHmac, type KeyObject, sign } from 'node:crypto';

/**
 * A JWS in compact serialization. `alg: 'none'` leaves the signature empty, `HS256` uses the bytes of `key` (of a
 * public or private key, its PEM, as in the classic confusion attack); otherwise the kind of key decides how is signed.
 */
export function signToken(header: object, claims: object, key: KeyObject): string {
  const input = `${encoded(header)}.${encoded(claims)}`;
  return `${input}.${signature(header, input, key).toString('base64url')}`;
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function signature(header: { readonly alg?: unknown }, input: string, key: KeyObject): Buffer {
  if (header.alg === 'none') return Buffer.alloc(0);
  if (header.alg === 'HS256') return createHmac('sha256', secretOf(key)).update(input).digest();
  return sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
}

function secretOf(key: KeyObject): KeyObject | string {
  if (key.type === 'secret') return key;
  return key.export({ type: key.type === 'public' ? 'spki' : 'pkcs8', format: 'pem' }).toString();
}
