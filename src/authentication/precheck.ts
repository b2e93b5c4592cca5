import type { Clock } from './clock.ts';
import { type UnverifiedClaims, unverifiedClaims } from './claims.ts';
import type { RejectionCode } from './errors.ts';
import type { Rejected } from './verdict.ts';

/** Less than the 60 s that the API server gives: a token this old should have been replaced long ago. */
const expiryToleranceSeconds = 5;
/** As much as the API server gives, for clocks that disagree. */
const clockSkewSeconds = 60;

/**
 * Ends hopeless tokens here rather than at the API server. Everything it reads is unverified, so it may only ever
 * reject. `iss` is not looked at: API servers accept issuers that discovery does not name.
 */
export function precheck(
  token: string,
  audiences: readonly string[],
  clock: Clock,
): { readonly claims: UnverifiedClaims } | Rejected {
  const claims = unverifiedClaims(token);
  if (claims === undefined) return { rejected: 'token_malformed', reason: 'not a JWT' };
  const now = clock.now() / 1000;
  if (claims.exp !== undefined && claims.exp + expiryToleranceSeconds <= now) {
    return rejected('token_expired', `expired ${Math.round(now - claims.exp)} s ago`, claims);
  }
  for (const claim of ['nbf', 'iat'] as const) {
    const start = claims[claim];
    if (start !== undefined && start - clockSkewSeconds > now) {
      return rejected('token_not_yet_valid', `${claim} is ${Math.round(start - now)} s ahead`, claims);
    }
  }
  if (audiences.length > 0 && !audiences.some((audience) => claims.audiences?.includes(audience))) {
    return rejected(
      'wrong_audience',
      `its audiences are ${JSON.stringify(claims.audiences ?? []).slice(0, 200)}`,
      claims,
    );
  }
  return { claims };
}

const rejected = (code: RejectionCode, reason: string, { jti }: UnverifiedClaims): Rejected => ({
  rejected: code,
  reason,
  credentialId: jti,
});
