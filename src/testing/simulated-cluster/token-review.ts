import { z } from 'zod';
import type { TokenAuthenticator, TokenAuthority, Verdict } from './authenticate.ts';
import { decode } from './decode.ts';
import { badRequest } from './status.ts';

const schema = z.object({
  spec: z.object({ token: z.string().optional(), audiences: z.array(z.string()).optional() }).optional(),
});

/** POST /apis/authentication.k8s.io/v1/tokenreviews */
export function reviewToken(
  authenticator: TokenAuthenticator,
  { apiAudiences, version }: TokenAuthority,
  body: unknown,
): object {
  const { spec = {} } = decode(schema, 'TokenReview', body);
  if (!spec.token) throw badRequest('token is required for TokenReview in authentication');
  const audiences = spec.audiences?.length ? spec.audiences : apiAudiences;
  return {
    kind: 'TokenReview',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: version.unstoredMetadata,
    spec: { token: spec.token, ...(spec.audiences?.length && { audiences: spec.audiences }) },
    status: statusOf(authenticator.authenticate(`Bearer ${spec.token}`, audiences)),
  };
}

function statusOf(verdict: Verdict): object {
  return verdict.user
    ? { authenticated: true, user: verdict.user, audiences: verdict.audiences }
    : { user: {}, error: verdict.error };
}
