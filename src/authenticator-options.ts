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
   * For how long an identity may be used after the review that vouched for it began or, with `revocation`, after the watch
   * last proved that its objects exist, in milliseconds, at most 600,000: the longest that a deleted Pod stays welcome, on
   * top of the API server's own 10 s. Default: 60,000. 0 reviews every request.
   */
  readonly maxAgeMs?: number;
  /**
   * For how long a rejection is remembered, in milliseconds. Default: 10,000; a token younger than a minute is always
   * asked about again after a second, as an API-server replica may not have known its objects yet.
   */
  readonly rejectionMaxAgeMs?: number;
}

export interface DecisionOptions {
  /** How many decisions of RBAC to remember, at most a tenth of them for one caller. Default: 10,000. */
  readonly maxEntries?: number;
  /**
   * For how long an allowance may be used after its SubjectAccessReview began, in milliseconds, unless the watch tells of
   * changed rights before. At most 600,000. Default: 60,000.
   */
  readonly maxAgeMs?: number;
  /** The same for a denial. Default: 10,000. */
  readonly denialMaxAgeMs?: number;
}

export interface ReviewOptions {
  /** The deadline of one review, waiting for its turn included, in milliseconds. Default: 3,000. */
  readonly timeoutMs?: number;
  /** How many reviews may run at once, each on a connection of its own. Default: 32. */
  readonly maxConcurrent?: number;
  /** How many reviews may wait for their turn; past that requests get 503 at once. Default: 1,024. */
  readonly maxQueued?: number;
}

export interface RevocationOptions {
  /**
   * Whose Pods and ServiceAccounts to watch, at most 50 namespaces; callers from elsewhere have the short term. Default: all
   * namespaces. One that does not exist is logged, and looked for again. Roles and RoleBindings are those of all namespaces
   * in any case, as a question may be about any.
   */
  readonly namespaces?: readonly string[];
  /**
   * For how long an identity may be used after its review, in milliseconds, while the watch proves that its Pod, ServiceAccount
   * or Node exists. At most 3,600,000. Default: 600,000.
   */
  readonly maxAgeMs?: number;
  /**
   * Whether to refuse a token from the moment its Pod, ServiceAccount or Node begins to terminate, rather than a minute after its
   * `deletionTimestamp` as the API server does. Default: false, since a Pod that shuts down still finishes its work, and calls others for it.
   */
  readonly refuseTerminating?: boolean;
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
  /**
   * Performs the TokenReviews instead of this library's own connections. Not together with `kubeConfig`, `revocation` or
   * `verifyNode`. Nobody can then be asked about rights and Pods: `requirePermission`, `labels` and `podIp` of
   * `requireBoundPod`, `allowed()` and `callingPod()` throw, and `decisions` has no effect.
   */
  readonly reviewer?: ReviewFunction;
  /** How verdicts are remembered. */
  readonly cache?: CacheOptions;
  /** How decisions of `requirePermission` and `allowed()` are remembered. */
  readonly decisions?: DecisionOptions;
  /** Of TokenReviews and SubjectAccessReviews, together. */
  readonly review?: ReviewOptions;
  /**
   * For how long past its term an identity may still be used, in milliseconds, while the API server cannot be asked: never
   * past its token's `exp`, and not when the API server refuses our own credential or rights. Default: 0, which fails
   * closed. What is revoked during an outage stays welcome for as long.
   */
  readonly staleIfUnavailableMs?: number;
  /**
   * Whether to learn of deleted Pods, ServiceAccounts and Nodes as it happens, by watching them: their tokens are then refused
   * within milliseconds, and identities whose objects are known to exist need fewer reviews. It takes the right to list and
   * watch them (`docs/operations.md`); without it, identities have the short term of `cache.maxAgeMs`. Where permissions are
   * asked about, Roles and their bindings are watched too, so that a withdrawn right is gone as soon. Not together with
   * `reviewer`. Default: `none`.
   */
  readonly revocation?: 'none' | 'watch' | RevocationOptions;
  /**
   * Whether the Node that a Pod-bound token names must exist with the uid that the token gives, which Kubernetes does not
   * check. A token without it is refused (Kubernetes before 1.30). It takes the right to get Nodes. Not together with
   * `reviewer`. Default: false, since a Node that is registered anew locks its Pods out until the kubelet has refreshed their
   * tokens.
   */
  readonly verifyNode?: boolean;
  /** Gets what operators should know; `false` for nobody. Default: JSON lines on stderr, each code once a minute. */
  readonly log?: Log | false;
  /** Where time comes from, for tests. Default: the system's clocks. */
  readonly clock?: Clock;
}

export interface CheckedRevocationOptions {
  readonly namespaces?: readonly string[] | undefined;
  readonly maxAgeMs: number;
  readonly refuseTerminating: boolean;
}

/** The options with their defaults in place. */
export interface CheckedAuthenticatorOptions {
  readonly audiences: readonly string[];
  readonly kubeConfig?: KubeConfigLike | undefined;
  readonly reviewer?: ReviewFunction | undefined;
  readonly cache: Required<CacheOptions>;
  readonly decisions: Required<DecisionOptions>;
  readonly review: Required<ReviewOptions>;
  readonly staleIfUnavailableMs: number;
  /** `undefined`: nothing is watched. */
  readonly revocation?: CheckedRevocationOptions | undefined;
  readonly verifyNode: boolean;
  readonly log?: Log | false | undefined;
  readonly clock: Clock;
}

const milliseconds = z.number().int().min(0).max(86_400_000);
const count = z.number().int().min(1).max(10_000_000);
const audience = z.string().min(1, 'an audience is empty. Is an environment variable missing?');

/** Kubernetes' DNS-1123 label: it becomes a part of a path. */
const namespace = z
  .string()
  .regex(/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/, 'expected a namespace. Is an environment variable missing?');
/** Each is two connections. */
const maxNamespaces = 50;

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
  decisions: z
    .strictObject({
      maxEntries: count.default(10_000),
      maxAgeMs: milliseconds.max(600_000).default(60_000),
      denialMaxAgeMs: milliseconds.max(600_000).default(10_000),
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
  revocation: z
    .strictObject(
      {
        namespaces: z
          .array(namespace)
          .min(1, 'the list is empty')
          .max(maxNamespaces, `more than ${maxNamespaces}: leave it out to watch all`)
          .transform((names) => [...new Set(names)])
          .optional(),
        maxAgeMs: milliseconds.max(3_600_000).default(600_000),
        refuseTerminating: z.boolean().default(false),
      },
      { error: ({ code }) => (code === 'invalid_type' ? "expected 'none', 'watch', or an object" : undefined) },
    )
    .optional(),
  verifyNode: z.boolean().default(false),
  log: z.union([functionOption<Log>(), z.literal(false)], { error: 'expected a function or false' }).optional(),
  clock: objectWith<Clock>('now', 'monotonic').default(systemClock),
});

export const authenticatorOptionNames: readonly string[] = Object.keys(schema.shape);

/** @throws {TypeError} where an option is wrong */
export function checkedAuthenticatorOptions(options: unknown, functionName: string): CheckedAuthenticatorOptions {
  const checked = checkOptions(schema, withRevocationSpelledOut(options), functionName);
  if (checked.kubeConfig && checked.reviewer) {
    throw new TypeError(`${functionName}: give either "kubeConfig" or "reviewer", not both`);
  }
  // It may ask any API server: whose objects are to be watched is not known.
  const needsCluster = checked.revocation ? 'revocation' : checked.verifyNode ? 'verifyNode' : undefined;
  if (needsCluster && checked.reviewer) {
    throw new TypeError(`${functionName}: give either "${needsCluster}" or "reviewer", not both`);
  }
  return checked;
}

/** `none` is the same as no option, and `watch` the same as the object with all defaults. */
function withRevocationSpelledOut(options: unknown): unknown {
  if (typeof options !== 'object' || options === null || !('revocation' in options)) return options;
  const { revocation, ...others } = options;
  if (revocation === 'none') return others;
  return revocation === 'watch' ? { ...others, revocation: {} } : options;
}
