import { podReview } from '../../support/tokens.ts';

/** What an API server answers to the TokenReview of a `podToken`. */
export async function vouch(): Promise<unknown> {
  const { username, uid, groups, extra, audiences } = podReview();
  return { status: { authenticated: true, user: { username, uid, groups, extra }, audiences } };
}
