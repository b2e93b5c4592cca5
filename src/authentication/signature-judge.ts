import type { Share } from './reviewer.ts';

/**
 * What the cluster's published keys say of a token's signature:
 * - `confirmed`: a key confirms it, so that its claims are what a signer said. Never an identity: the review decides.
 * - `possible`: there are no keys to tell by, or the one that the token names is of no use.
 * - `refuted`: the very key that the token names did not sign it.
 * - `unknown_key`: no published key can tell. Clusters may have signers whose keys they do not publish.
 */
export type SignatureJudgement = 'confirmed' | 'possible' | 'refuted' | 'unknown_key';

/** Keeps forged tokens from the API server. */
export interface SignatureJudge {
  /**
   * Checks of one share wait for those of the others in turn. Default: a share of our own.
   *
   * @throws {Unavailability} `review_queue_full` where too many wait
   */
  judge(token: string, share?: Share): Promise<SignatureJudgement>;
  /** Fetches the keys ahead of need. Never rejects: without keys there is no shield, and service all the same. */
  ready(): Promise<void>;
  /** When the keys in use were fetched, in epoch milliseconds; `undefined` while there are none. */
  readonly keysFetchedAt: number | undefined;
}
