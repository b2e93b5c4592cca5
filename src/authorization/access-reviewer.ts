import type { ServiceAccountIdentity } from '../authentication/service-account-identity.ts';
import type { AccessAttributes } from './access-attributes.ts';

/** What the API server says of a question: `status` of a SubjectAccessReview. */
export interface AccessReview {
  readonly allowed: boolean;
  /** The API server's words, where it has any: for the operator, never for decisions. */
  readonly reason: string;
}

/** What performs SubjectAccessReviews for us. */
export interface AccessReviewer {
  /**
   * One SubjectAccessReview. Ends within a bounded time, whatever happens.
   *
   * @param waitedMs for how long the caller has been waiting already: a part of that time
   * @throws {Unavailability} where no decision could be had
   */
  reviewAccess(
    identity: ServiceAccountIdentity,
    attributes: AccessAttributes,
    waitedMs?: number,
  ): Promise<AccessReview>;
}
