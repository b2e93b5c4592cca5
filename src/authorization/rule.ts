import type { ServiceAccountIdentity } from '../authentication/service-account-identity.ts';

/** What a guard asks of an identity: identity in, allowed or denied out. */
export interface Rule<Request> {
  /** What is asked, in a few words for tables, events and logs. */
  readonly description: string;
  /** `true` allows; anything else refuses. */
  readonly check: (identity: ServiceAccountIdentity, req?: Request) => boolean | Promise<boolean>;
}
