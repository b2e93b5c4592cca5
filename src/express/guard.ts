import type { ServerResponse } from 'node:http';
import type { Request } from 'express';
import {
  type ErrorCode,
  inRealm,
  isServiceAccountAuthError,
  ServiceAccountAuthError,
} from '../authentication/errors.ts';
import type { ServiceAccountIdentity } from '../authentication/service-account-identity.ts';
import type { Rule } from '../authorization/rule.ts';
import { type AuthenticatedRequest, type Next, requestContext, type RequestContext } from './request-context.ts';
import { thrownError } from './thrown-error.ts';

declare const proves: unique symbol;

/**
 * A route-level middleware that allows or refuses an identity. It refuses with 403, a request without an identity with
 * 401, and fails with 500 where the middleware has not run.
 *
 * @typeParam Proves what an identity is known to have in the handlers behind this guard
 */
export interface Guard<Proves = unknown> extends Rule<Request> {
  (req: AuthenticatedRequest, res: ServerResponse, next: Next): void;
  /** For the type checker only: never there. */
  readonly [proves]?: Proves;
}

const anonymous = {
  code: 'no_credentials',
  reason: 'A guard asks for an identity',
  credentialId: undefined,
} as const;

export function guardOf<Proves = unknown>({ description, check }: Rule<Request>): Guard<Proves> {
  const handle = (req: AuthenticatedRequest, _res: ServerResponse, next: Next): void => {
    const context = req[requestContext];
    if (context === undefined) return next(new ServiceAccountAuthError('middleware_missing'));
    const { serviceAccount } = req;
    if (serviceAccount === undefined) {
      // In the other modes the middleware has told so.
      if (context.mode === 'optional') context.emit('rejected', anonymous);
      return refuse(context, 'no_credentials', next);
    }
    let allowed: boolean | Promise<boolean>;
    try {
      // The middleware serves Express, so what the guards get is Express' request.
      allowed = check(serviceAccount, req as unknown as Request);
    } catch (error) {
      return fail(context, error, next);
    }
    if (allowed === true) return next();
    conclude(allowed, serviceAccount, context, next);
  };
  // Apart, so that a request that passes at once makes no closures.
  const conclude = (
    allowed: boolean | Promise<boolean>,
    identity: ServiceAccountIdentity,
    context: RequestContext,
    next: Next,
  ): void => {
    const end = (late: boolean): void => {
      if (late === true) return next();
      context.emit('refused', { guard: description, identity });
      refuse(context, 'guard_refused', next);
    };
    // Whatever object a predicate answers: what is no promise refuses, as anything but `true` does.
    if (typeof allowed === 'object') Promise.resolve(allowed).then(end, (error: unknown) => fail(context, error, next));
    else end(allowed);
  };
  return Object.assign(handle, { description, check });
}

function refuse({ mode, realm }: RequestContext, code: ErrorCode, next: Next): void {
  next(mode === 'report' ? undefined : new ServiceAccountAuthError(code, { realm }));
}

function fail({ mode, realm }: RequestContext, error: unknown, next: Next): void {
  if (!isServiceAccountAuthError(error)) return next(thrownError(error));
  next(mode === 'report' ? undefined : inRealm(error, realm));
}

export function isGuard(value: unknown): value is Guard {
  if (typeof value !== 'function') return false;
  const { check, description } = value as Partial<Guard>;
  return typeof check === 'function' && typeof description === 'string';
}

/** What identities have behind all of these guards. */
export type ProvenByAll<Guards extends readonly Guard[]> = Guards extends readonly [
  Guard<infer Proves>,
  ...infer Rest extends readonly Guard[],
]
  ? Proves & ProvenByAll<Rest>
  : unknown;

/** What identities have behind at least one of these guards. */
export type ProvenByAny<Guards extends readonly Guard[]> =
  Guards[number] extends Guard<infer Proves> ? Proves : unknown;

/** The identity behind a guard that proves this. */
export type Proven<Proves> = ServiceAccountIdentity & Proves;
