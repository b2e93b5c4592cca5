import { ServiceAccountAuthError } from '../authentication/errors.ts';
import type { ServiceAccountIdentity } from '../authentication/service-account-identity.ts';
import { requestContext, type RequestContext } from './request-context.ts';

/**
 * The identity of a request, for handlers where the type checker cannot know that a guard ran.
 *
 * @throws {ServiceAccountAuthError} `no_credentials` (401) where the request has none
 */
export function serviceAccountOf(req: {
  readonly serviceAccount?: ServiceAccountIdentity | undefined;
}): ServiceAccountIdentity {
  if (req.serviceAccount !== undefined) return req.serviceAccount;
  const { [requestContext]: context } = req as { readonly [requestContext]?: RequestContext };
  throw new ServiceAccountAuthError('no_credentials', context);
}
