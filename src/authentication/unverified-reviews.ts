import { LRUCache } from 'lru-cache';
import type { Clock } from './clock.ts';
import { Unavailability } from './reviewer.ts';
import type { SignatureJudgement } from './signature-judge.ts';
import { type Budget, TokenBucket } from './token-bucket.ts';
import type { Verdict } from './verdict.ts';

/** Tokens of unknown keys, all peers together: enough for honest callers of an unpublished signer, too few to be a flood. */
const ofUnknownKeys: Budget = { burst: 50, perSecond: 10 };
/** So much of it no peer may use up alone. */
const reserve = 20;
/** What each peer may have of the reserve. */
const ofReserve: Budget = { burst: 10, perSecond: 1 };

/** Refused tokens that no key could judge, of each peer: little for an API server, much for callers who mean well. */
const ofRefusals: Budget = { burst: 200, perSecond: 50 };

/** Forgetting a peer gives it a budget anew, which costs the sender so many other addresses. */
const maxPeers = 10_000;

/**
 * Holds floods of tokens that nobody has verified, by the peer that sends them: from the API server, and from the
 * budgets of everyone else. A token that a review finds good costs nothing.
 */
export class UnverifiedReviews {
  readonly #clock: Clock;
  readonly #unknownKeys: TokenBucket;
  readonly #reserveOf = new LRUCache<string, TokenBucket>({ max: maxPeers });
  readonly #refusalsOf = new LRUCache<string, TokenBucket>({ max: maxPeers });

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#unknownKeys = new TokenBucket(ofUnknownKeys, clock);
  }

  /** @throws {Unavailability} where the peer has used up what it may have */
  within(
    judgement: Exclude<SignatureJudgement, 'confirmed' | 'refuted'>,
    peer: string,
    review: () => Promise<Verdict>,
  ): Promise<Verdict> {
    return judgement === 'unknown_key' ? this.#ofUnknownKey(peer, review) : this.#unjudged(peer, review);
  }

  /** There are keys, so that such a token is rare: paid for ahead. */
  async #ofUnknownKey(peer: string, review: () => Promise<Verdict>): Promise<Verdict> {
    const own = this.#unknownKeys.take(reserve) ? undefined : this.#ownOf(peer);
    if (own !== undefined && !(own.take() && this.#unknownKeys.take())) {
      throw new Unavailability(
        'unknown_key_limit',
        `Too many tokens of keys that the API server does not publish, the last from ${named(peer)}`,
      );
    }
    const verdict = await review();
    if ('identity' in verdict) for (const bucket of [this.#unknownKeys, own]) bucket?.giveBack();
    return verdict;
  }

  /**
   * Without keys every token is such a one: only what a review refuses is counted, so that there is service all the same.
   * Where nobody said who sent it, no one is held for what may be another's.
   */
  async #unjudged(peer: string, review: () => Promise<Verdict>): Promise<Verdict> {
    if (this.#refusalsOf.get(peer)?.isEmpty) {
      throw new Unavailability('peer_limit', `Too many tokens from ${peer} were refused, and no key can tell which`);
    }
    const verdict = await review();
    if ('rejected' in verdict && peer !== '') bucketOf(this.#refusalsOf, peer, ofRefusals, this.#clock).charge();
    return verdict;
  }

  #ownOf(peer: string): TokenBucket {
    return bucketOf(this.#reserveOf, peer, ofReserve, this.#clock);
  }
}

function bucketOf(buckets: LRUCache<string, TokenBucket>, peer: string, budget: Budget, clock: Clock): TokenBucket {
  const known = buckets.get(peer);
  if (known !== undefined) return known;
  const bucket = new TokenBucket(budget, clock);
  buckets.set(peer, bucket);
  return bucket;
}

const named = (peer: string): string => (peer === '' ? 'callers whose address nobody said' : peer);
