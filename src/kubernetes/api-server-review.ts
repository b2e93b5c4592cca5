import { z } from 'zod';
import { Unavailability } from '../authentication/reviewer.ts';
import type { Answer, ApiServer } from './api-server.ts';
import type { ReviewFunction } from './bounded-reviewer.ts';
import { scrub } from './scrub.ts';

const path = '/apis/authentication.k8s.io/v1/tokenreviews';
const maxRetryAfterSeconds = 60;

const renewal =
  'Was its ServiceAccount or Pod deleted, or the token not renewed in time? New Pods get new tokens: kubectl rollout ' +
  'restart deployment/NAME. For a kubeconfig, sign in anew';

/** Reviews by the API server itself. Every verdict is HTTP 201; any other status is about us, or about it. */
export function apiServerReview(apiServer: ApiServer): ReviewFunction {
  return async (tokenReview, { signal }) => {
    const answer = await apiServer.post(path, JSON.stringify(tokenReview), signal);
    if (answer.status === 201 || answer.status === 200) return parsedBody(answer);
    throw refusal(answer, tokenReview.spec.token);
  };
}

function parsedBody({ body }: Answer): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new Unavailability('answer_invalid', 'The answer is not JSON');
  }
}

const statusSchema = z.object({ kind: z.literal('Status'), message: z.string() });

function refusal(answer: Answer, token: string): Unavailability {
  const { status } = answer;
  const words = `HTTP ${status}${statusMessage(answer, token)}`;
  if (status === 401) {
    return new Unavailability(
      'reviewer_unauthenticated',
      `The API server does not accept our own credential: ${words}. ${renewal}`,
    );
  }
  if (status === 403) {
    return new Unavailability('reviewer_forbidden', `We may not create TokenReviews: ${words}. ${grantFor(words)}`);
  }
  if (status === 429 || status >= 500) {
    return new Unavailability('api_server_overloaded', `The API server is in trouble: ${words}`, retryAfter(answer));
  }
  return new Unavailability('api_server_error', `The API server answers a TokenReview with ${words}`);
}

/** The API server says who we are; the names are those of RFC 1123 subdomains, fit for a command line. */
function grantFor(words: string): string {
  const [, namespace, name] = /"system:serviceaccount:([a-z0-9][a-z0-9-]*):([a-z0-9][a-z0-9.-]*)"/.exec(words) ?? [];
  const binding = name === undefined ? 'NAME' : `${namespace}-${name}-reviewer`;
  return (
    'Bind the ClusterRole system:auth-delegator to the ServiceAccount of this service: kubectl create clusterrolebinding ' +
    `${binding} --clusterrole=system:auth-delegator --serviceaccount=${namespace ?? 'NAMESPACE'}:${name ?? 'SERVICEACCOUNT'}`
  );
}

function statusMessage({ body }: Answer, token: string): string {
  try {
    return `: ${scrub(statusSchema.parse(JSON.parse(body)).message, [token])}`;
  } catch {
    return ' without a Status';
  }
}

/** RFC 9110 section 10.2.3, in its form of seconds, which is the one the API server uses. */
function retryAfter({ headers }: Answer): number | undefined {
  const seconds = Number(headers['retry-after']);
  return Number.isInteger(seconds) && seconds > 0 ? Math.min(seconds, maxRetryAfterSeconds) : undefined;
}
