import { z } from 'zod';
import { type Clock, systemClock } from './authentication/clock.ts';
import type { Log } from './authentication/log.ts';
import { checkOptions, functionOption, objectWith } from './check-options.ts';
import type { ReviewFunction } from './kubernetes/bounded-reviewer.ts';
import type { KubeConfigLike } from './kubernetes/kube-config.ts';

export interface CacheOptions {
  /**
   * How many identities to remember, and as many rejections apart from them; the least recently used go first.
   * Default: 10,000, of about 1 kB each. Make it larger than the number of Pods that call within a minute.
   */
  readonly maxEntries?: number;
  /**
   * For how long an identity may be used after the review that vouched for it began, in milliseconds: the longest that
   * a deleted Pod stays welcome, on top of the API server's own 10 s. Default: 60,000. 0 reviews every request.
   */
  readonly maxAgeMs?: number;
  /**
   * For how long a rejection is remembered, in milliseconds. Default: 10,000; a token younger than a minute is always
   * asked about again after a second, as an API-server replica may not have known its objects yet.
   */
  readonly rejectionMaxAgeMs?: number;
}

export interface ReviewOptions {
  /** The deadline of one review, waiting for its turn included, in milliseconds. Default: 3,000. */
  readonly timeoutMs?: number;
  /** How many reviews may run at once, each on a connection of its own. Default: 32. */
  readonly maxConcurrent?: number;
  /** How many reviews may wait for their turn; past that requests get 503 at once. Default: 1,024. */
  readonly maxQueued?: number;
}

export interface AuthenticatorOptions {
  /**
   * Whom callers' tokens must be for: one or several names of this service, as in `audience` of the callers' projected
   * token volumes. Default: the API server's own audiences, with a warning, since whoever receives such a token can
   * replay it against the API server.
   */
  readonly audiences?: string | readonly string[];
  /**
   * Which API server to ask, and as whom. Default: in a Pod its own cluster as its own ServiceAccount; elsewhere the
   * kubeconfig that kubectl would use, read with `@kubernetes/client-node`.
   */
  readonly kubeConfig?: KubeConfigLike;
  /** Performs the TokenReviews instead of this library's own connections. Not together with `kubeConfig`. */
  readonly reviewer?: ReviewFunction;
  readonly cache?: CacheOptions;
  readonly review?: ReviewOptions;
  /**
   * For how long past its term an identity may still be used, in milliseconds, while the API server cannot be asked: never
   * past its token's `exp`, and not when the API server refuses our own credential or rights. Default: 0, which fails
   * closed. What is revoked during an outage stays welcome for as long.
   */
  readonly staleIfUnavailableMs?: number;
  /** Gets what operators should know; `false` for nobody. Default: JSON lines on stderr, each code once a minute. */
  readonly log?: Log | false;
  /** Where time comes from, for tests. Default: the system's clocks. */
  readonly clock?: Clock;
}

/** The options with their defaults in place. */
export interface CheckedAuthenticatorOptions {
  readonly audiences: readonly string[];
  readonly kubeConfig?: KubeConfigLike | undefined;
  readonly reviewer?: ReviewFunction | undefined;
  readonly cache: Required<CacheOptions>;
  readonly review: Required<ReviewOptions>;
  readonly staleIfUnavailableMs: number;
  readonly log?: Log | false | undefined;
  readonly clock: Clock;
}

const milliseconds = z.number().int().min(0).max(86_400_000);
const count = z.number().int().min(1).max(10_000_000);
const audience = z.string().min(1, 'an audience is empty. Is an environment variable missing?');

const schema = z.strictObject({
  audiences: z
    .union([audience, z.array(audience).min(1, 'the list is empty')], {
      error: 'expected a non-empty string, or a non-empty list of them',
    })
    .transform((one) => (typeof one === 'string' ? [one] : [...new Set(one)]))
    .default([]),
  kubeConfig: objectWith<KubeConfigLike>('getCurrentCluster', 'applyToHTTPSOptions').optional(),
  reviewer: functionOption<ReviewFunction>().optional(),
  cache: z
    .strictObject({
      maxEntries: count.default(10_000),
      maxAgeMs: milliseconds.max(600_000).default(60_000),
      rejectionMaxAgeMs: milliseconds.default(10_000),
    })
    .prefault({}),
  review: z
    .strictObject({
      timeoutMs: milliseconds.min(1).default(3_000),
      maxConcurrent: count.default(32),
      maxQueued: count.default(1_024),
    })
    .prefault({}),
  staleIfUnavailableMs: milliseconds.default(0),
  log: z.union([functionOption<Log>(), z.literal(false)], { error: 'expected a function or false' }).optional(),
  clock: objectWith<Clock>('now', 'monotonic').default(systemClock),
});

export const authenticatorOptionNames: readonly string[] = Object.keys(schema.shape);

/** @throws {TypeError} where an option is wrong */
export function checkedAuthenticatorOptions(options: unknown, functionName: string): CheckedAuthenticatorOptions {
  const checked = checkOptions(schema, options, functionName);
  if (checked.kubeConfig && checked.reviewer) {
    throw new TypeError(`${functionName}: give either "kubeConfig" or "reviewer", not both`);
  }
  return checked;
}
