/**
 * What the cluster's published keys say of a token's signature:
 * - `possible`: a key confirms it, or there are no keys to tell by. Never an identity: the review decides.
 * - `refuted`: the very key that the token names did not sign it.
 * - `unknown_key`: no published key can tell. Clusters may have signers whose keys they do not publish.
 */
export type SignatureJudgement = 'possible' | 'refuted' | 'unknown_key';

/** Keeps forged tokens from the API server. */
export interface SignatureJudge {
  judge(token: string): Promise<SignatureJudgement>;
  /** Fetches the keys ahead of need. Never rejects: without keys there is no shield, and service all the same. */
  ready(): Promise<void>;
  /** When the keys in use were fetched, in epoch milliseconds; `undefined` while there are none. */
  readonly keysFetchedAt: number | undefined;
}
