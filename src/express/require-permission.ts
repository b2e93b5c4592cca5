import type { Request } from 'express';
import { ServiceAccountAuthError } from '../authentication/errors.ts';
import type { ServiceAccountIdentity } from '../authentication/service-account-identity.ts';
import type { AccessAttributes, ComputedAttributes } from '../authorization/access-attributes.ts';
import {
  type AccessQuestion,
  accessQuestion,
  computedQuestion,
  described,
  MalformedAttributes,
} from '../authorization/access-question.ts';
import { type Guard, guardOf } from './guard.ts';
import { type AuthenticatedRequest, requestContext } from './request-context.ts';

const guardName = 'requirePermission';

/**
 * Allows what RBAC allows the caller: Roles and RoleBindings say who may do what, and a SubjectAccessReview asks them.
 * The attributes are fixed, or computed from the request: then a value that is missing or no string refuses (403), and
 * one that Kubernetes' bounds rule out is 400. Where nobody can say, the request fails with 503.
 *
 * @throws {TypeError} for attributes that are unknown, missing or wrong
 */
export function requirePermission(attributes: AccessAttributes | ((req: Request) => ComputedAttributes)): Guard {
  if (typeof attributes === 'function') {
    const description = 'a permission named by the request';
    return guardOf({
      description,
      check: (identity, req) => {
        if (req === undefined) throw new TypeError(`${guardName}: check() needs the request`);
        const question = questionOf(identity, req, attributes(req), description);
        return question !== undefined && decide(identity, req, question);
      },
    });
  }
  const question = accessQuestion(attributes, guardName);
  return guardOf({
    description: `permission to ${described(question.attributes)}`,
    check: (identity, req) => decide(identity, req, question),
  });
}

function questionOf(
  identity: ServiceAccountIdentity,
  req: Request,
  computed: ComputedAttributes,
  guard: string,
): AccessQuestion | undefined {
  try {
    return computedQuestion(computed, guardName);
  } catch (error) {
    if (!(error instanceof MalformedAttributes)) throw error;
    const { message: reason } = error;
    (req as unknown as AuthenticatedRequest)[requestContext]?.emit('refused', { guard, identity, reason });
    throw new ServiceAccountAuthError('attributes_malformed');
  }
}

/** The request's middleware knows whom to ask. */
function decide(
  identity: ServiceAccountIdentity,
  req: Request | undefined,
  question: AccessQuestion,
): boolean | Promise<boolean> {
  const context = (req as unknown as AuthenticatedRequest | undefined)?.[requestContext];
  if (context?.decide === undefined) {
    throw new TypeError(`${guardName}: check() needs a request that k8sServiceAccountAuth() has seen`);
  }
  return context.decide(identity, question);
}
