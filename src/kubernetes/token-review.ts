import { z } from 'zod';
import { listOfStrings } from '../authentication/list-of-strings.ts';
import { type Review, Unavailability } from '../authentication/reviewer.ts';
import { scrub } from './scrub.ts';

/** The body of a TokenReview request, as the API server and a `reviewer` of your own get it. */
export interface TokenReviewRequest {
  readonly apiVersion: 'authentication.k8s.io/v1';
  readonly kind: 'TokenReview';
  readonly spec: { readonly token: string; readonly audiences?: readonly string[] };
}

/** Go leaves out what is empty, so everything may be absent; what is there must have its type. */
const tokenReviewSchema = z.object({
  apiVersion: z.literal('authentication.k8s.io/v1').optional(),
  kind: z.literal('TokenReview').optional(),
  status: z.object({
    authenticated: z.boolean().optional(),
    user: z
      .object({
        username: z.string().optional(),
        uid: z.string().optional(),
        groups: listOfStrings.optional(),
        extra: z.record(z.string(), listOfStrings).optional(),
      })
      .optional(),
    audiences: listOfStrings.optional(),
    error: z.string().optional(),
  }),
});

export function tokenReviewRequest(token: string, audiences: readonly string[]): TokenReviewRequest {
  return {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token, ...(audiences.length > 0 && { audiences }) },
  };
}

/**
 * What an answered TokenReview says, its types checked. A rejection has `authenticated` absent rather than false, with
 * an empty `user`; an authenticated one with an `error` or without a username makes no sense.
 *
 * @throws {Unavailability} `answer_invalid`
 */
export function reviewOf(answer: unknown, token: string): Review {
  const parsed = tokenReviewSchema.safeParse(answer);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    // The path holds keys of the answer, which may say anything.
    const where = scrub(issue?.path.map(String).join('.') ?? '', [token]);
    throw new Unavailability('answer_invalid', `The answer is no TokenReview: ${where}: ${issue?.code}`);
  }
  const { authenticated, user, audiences, error } = parsed.data.status;
  if (authenticated !== true) {
    return { authenticated: false, error: scrub(error ?? 'the API server gave no reason', [token]) };
  }
  if (error || !user?.username) {
    throw new Unavailability('answer_invalid', 'The answer says authenticated, with an error or without a username');
  }
  // It would get into an identity, and from there to whoever is told of that.
  if (JSON.stringify(parsed.data.status).includes(token)) {
    throw new Unavailability('answer_invalid', 'The answer says authenticated, and quotes the token in its status');
  }
  return {
    authenticated: true,
    username: user.username,
    uid: user.uid ?? '',
    groups: user.groups ?? [],
    extra: user.extra ?? {},
    audiences: audiences ?? [],
  };
}
