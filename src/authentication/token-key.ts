import { hash, randomBytes } from 'node:crypto';

/**
 * Makes the function that turns tokens into cache keys: a hash under a prefix that is random for each process, so that
 * nobody outside can predict a key, and no key tells anything about a token.
 */
export function tokenKeys(): (token: string) => string {
  const prefix = randomBytes(32).toString('base64');
  return (token) => hash('sha256', prefix + token, 'base64');
}
