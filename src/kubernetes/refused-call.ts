import { z } from 'zod';
import { Unavailability } from '../authentication/reviewer.ts';
import type { Answer } from './api-server.ts';
import { scrub } from './scrub.ts';

const maxRetryAfterSeconds = 60;

const statusSchema = z.object({ kind: z.literal('Status'), message: z.string() });

/** What we wanted to do, and how an operator lets us. */
export interface Intention {
  /** As in "We may not …". */
  readonly doing: string;
  readonly grantTo: (serviceAccount: OwnServiceAccount) => string;
}

/** Whom the API server takes us for; where it does not say, what stands in its place in a command. */
export interface OwnServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

const renewal =
  'Was its ServiceAccount or Pod deleted, or the token not renewed in time? New Pods get new tokens: kubectl rollout ' +
  'restart deployment/NAME. For a kubeconfig, sign in anew';

/** Why the API server did not do what we asked for: trouble with us, or with it, by the status of its answer. */
export function refusedCall(
  answer: Answer,
  { doing, grantTo }: Intention,
  secrets: readonly string[] = [],
): Unavailability {
  const { status } = answer;
  const words = `HTTP ${status}${statusMessage(answer, secrets)}`;
  if (status === 401) {
    return new Unavailability(
      'reviewer_unauthenticated',
      `The API server does not accept our own credential: ${words}. ${renewal}`,
    );
  }
  if (status === 403) {
    return new Unavailability('reviewer_forbidden', `We may not ${doing}: ${words}. ${grantTo(ourselvesIn(words))}`);
  }
  if (status === 429 || status >= 500) {
    return new Unavailability('api_server_overloaded', `The API server is in trouble: ${words}`, retryAfter(answer));
  }
  return new Unavailability('api_server_error', `We wanted to ${doing}, and the API server answers with ${words}`);
}

/** The names are those of RFC 1123 subdomains, fit for a command line. */
function ourselvesIn(words: string): OwnServiceAccount {
  const [, user = ''] = words.split('"system:serviceaccount:');
  const [, namespace = 'NAMESPACE', name = 'SERVICEACCOUNT'] =
    /^([a-z0-9][a-z0-9-]*):([a-z0-9][a-z0-9.-]*)"/.exec(user) ?? [];
  return { namespace, name };
}

function statusMessage({ body }: Answer, secrets: readonly string[]): string {
  try {
    return `: ${scrub(statusSchema.parse(JSON.parse(body)).message, secrets)}`;
  } catch {
    return ' without a Status';
  }
}

/** RFC 9110 section 10.2.3, in its form of seconds, which is the one the API server uses. */
function retryAfter({ headers }: Answer): number | undefined {
  const seconds = Number(headers['retry-after']);
  return Number.isInteger(seconds) && seconds > 0 ? Math.min(seconds, maxRetryAfterSeconds) : undefined;
}
