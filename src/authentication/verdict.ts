import type { CredentialsErrorCode, RejectionCode } from './errors.ts';
import type { ServiceAccountIdentity } from './service-account-identity.ts';

/** The token is bad, and why: the reason is for the operator, never for the caller. */
export interface Rejected {
  readonly rejected: CredentialsErrorCode | RejectionCode;
  readonly reason: string;
  /** The `jti` that the token claims, where it could be read. */
  readonly credentialId?: string | undefined;
}

/** What is known of a token once it was reviewed. */
export type Verdict = { readonly identity: ServiceAccountIdentity } | Rejected;
