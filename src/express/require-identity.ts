import type { Request } from 'express';
import type { ServiceAccountIdentity } from '../authentication/service-account-identity.ts';
import { type Guard, guardOf } from './guard.ts';

/**
 * Allows what the predicate says `true` to; anything else it returns refuses, and what it throws goes to Express as a
 * 500. A type predicate narrows the identity in the handlers behind it.
 *
 * @param description what the predicate asks, for tables and events. Default: the predicate's own name
 * @throws {TypeError} where the predicate is no function
 */
export function requireIdentity<Proves extends ServiceAccountIdentity>(
  predicate: (identity: ServiceAccountIdentity, req: Request) => identity is Proves,
  description?: string,
): Guard<Proves>;
export function requireIdentity(
  predicate: (identity: ServiceAccountIdentity, req: Request) => boolean | Promise<boolean>,
  description?: string,
): Guard;
export function requireIdentity(
  predicate: (identity: ServiceAccountIdentity, req: Request) => boolean | Promise<boolean>,
  description?: string,
): Guard {
  if (typeof predicate !== 'function') throw new TypeError('requireIdentity: expected a function of the identity');
  return guardOf({
    description: description ?? (predicate.name || 'a condition on the identity'),
    // Without a request only predicates that do not look at one can be checked; the others throw by themselves.
    check: (identity, req) => predicate(identity, req as Request),
  });
}
