import { claimsOf } from './claims-of.ts';

/** Whose token it is: `namespace/name`. */
export function serviceAccountOf(token: string): string {
  const { sub } = claimsOf(token) as { readonly sub: string };
  return sub.split(':').slice(2).join('/');
}
