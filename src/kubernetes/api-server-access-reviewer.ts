import type { ServiceAccountIdentity } from '../authentication/service-account-identity.ts';
import { shareOf } from '../authentication/share.ts';
import type { AccessAttributes } from '../authorization/access-attributes.ts';
import type { AccessReview, AccessReviewer } from '../authorization/access-reviewer.ts';
import type { ApiServer } from './api-server.ts';
import { apiServerAccessReview } from './api-server-review.ts';
import type { BoundedReviewer } from './bounded-reviewer.ts';
import { accessReviewOf, subjectAccessReviewRequest } from './subject-access-review.ts';

/** SubjectAccessReviews by the API server, over the connections of the TokenReviews and in turn with them. */
export class ApiServerAccessReviewer implements AccessReviewer {
  readonly #apiServer: ApiServer;
  readonly #reviewer: Pick<BoundedReviewer, 'inTurn'>;

  constructor(apiServer: ApiServer, reviewer: Pick<BoundedReviewer, 'inTurn'>) {
    this.#apiServer = apiServer;
    this.#reviewer = reviewer;
  }

  reviewAccess(identity: ServiceAccountIdentity, attributes: AccessAttributes, waitedMs = 0): Promise<AccessReview> {
    const request = subjectAccessReviewRequest(identity, attributes);
    const perform = (signal: AbortSignal): Promise<unknown> => apiServerAccessReview(this.#apiServer, request, signal);
    return this.#reviewer.inTurn(perform, accessReviewOf, { share: shareOf(identity, ''), waitedMs });
  }
}
