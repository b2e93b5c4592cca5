import { generateKeyPairSync, sign } from 'node:crypto';

/** A token that looks like this one but for some claims, signed by somebody who has not the cluster's key. */
export function forgedToken(token: string, changedClaims: object): string {
  const [header] = token.split('.');
  const payload = Buffer.from(JSON.stringify({ ...claimsOf(token), ...changedClaims })).toString('base64url');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const signature = sign('RSA-SHA256', Buffer.from(`${header}.${payload}`), privateKey).toString('base64url');
  return `${header}.${payload}.${signature}`;
}

export function claimsOf(token: string): object {
  const claims: object = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  return claims;
}
