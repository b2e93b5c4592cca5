import type { Scenario } from '../conformance/scenario.ts';
import { audiences } from './audiences.ts';
import { authorizationHeaders } from './authorization-headers.ts';
import { boundTokens } from './bound-tokens.ts';
import { clocks } from './clocks.ts';
import { forgeries } from './forgeries.ts';
import { issuersAndKeys } from './issuers-and-keys.ts';
import { failures } from './failures.ts';
import { otherUsers } from './other-users.ts';
import { reviewers } from './reviewers.ts';
import { subjectAccessReviews } from './subject-access-reviews.ts';
import { tokenRequests } from './token-requests.ts';
import { statesOfBoundObjects } from './states-of-bound-objects.ts';

/** By theme. */
export const scenarios: Readonly<Record<string, readonly Scenario[]>> = {
  'A token bound to': boundTokens,
  'A bound object': statesOfBoundObjects,
  'The audiences of a token': audiences,
  'The times of a token': clocks,
  'A token that is no good': forgeries,
  'The issuer and the key of a token': issuersAndKeys,
  'A user that is no ServiceAccount': otherUsers,
  'The Authorization header': authorizationHeaders,
  'A reviewer with': reviewers,
  'A SubjectAccessReview about': subjectAccessReviews,
  'A TokenRequest for': tokenRequests,
  'The API server answers': failures,
};
