import { Unavailability } from '../authentication/reviewer.ts';
import type { Answer, ApiServer } from './api-server.ts';
import type { ReviewFunction } from './bounded-reviewer.ts';
import { type Intention, refusedCall } from './refused-call.ts';
import type { SubjectAccessReviewRequest } from './subject-access-review.ts';

const path = '/apis/authentication.k8s.io/v1/tokenreviews';
const accessPath = '/apis/authorization.k8s.io/v1/subjectaccessreviews';

const grantTo: Intention['grantTo'] = ({ namespace, name }) => {
  const binding = name === 'SERVICEACCOUNT' ? 'NAME' : `${namespace}-${name}-reviewer`;
  return (
    'Bind the ClusterRole system:auth-delegator to the ServiceAccount of this service: kubectl create ' +
    `clusterrolebinding ${binding} --clusterrole=system:auth-delegator --serviceaccount=${namespace}:${name}`
  );
};

/** Reviews by the API server itself. Every verdict is HTTP 201; any other status is about us, or about it. */
export function apiServerReview(apiServer: ApiServer): ReviewFunction {
  return async (tokenReview, { signal }) => {
    const answer = await apiServer.post(path, JSON.stringify(tokenReview), signal);
    return reviewed(answer, 'create TokenReviews', [tokenReview.spec.token]);
  };
}

/** A SubjectAccessReview by the API server: the body of its answer. */
export async function apiServerAccessReview(
  apiServer: ApiServer,
  accessReview: SubjectAccessReviewRequest,
  signal: AbortSignal,
): Promise<unknown> {
  return reviewed(
    await apiServer.post(accessPath, JSON.stringify(accessReview), signal),
    'create SubjectAccessReviews',
  );
}

function reviewed(answer: Answer, doing: string, secrets: readonly string[] = []): unknown {
  if (answer.status === 201 || answer.status === 200) return parsedBody(answer);
  throw refusedCall(answer, { doing, grantTo }, secrets);
}

function parsedBody({ body }: Answer): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new Unavailability('answer_invalid', 'The answer is not JSON');
  }
}
