import type { AuthenticatorParts } from './authentication/authenticator.ts';
import { type AuthenticatorOptions, checkedAuthenticatorOptions } from './authenticator-options.ts';
import type { ApiServerConnection } from './kubernetes/api-server-connection.ts';
import { ApiServerAccessReviewer } from './kubernetes/api-server-access-reviewer.ts';
import { ApiServer } from './kubernetes/api-server.ts';
import { apiServerReview } from './kubernetes/api-server-review.ts';
import { BoundedReviewer } from './kubernetes/bounded-reviewer.ts';
import { ClusterWatch } from './kubernetes/cluster-watch.ts';
import { defaultConnection } from './kubernetes/default-connection.ts';
import { fetchKeySet } from './kubernetes/fetch-key-set.ts';
import { kubeConfigConnection } from './kubernetes/kube-config-connection.ts';
import { nodeLookup } from './kubernetes/node-lookup.ts';
import { PermissionsWatch } from './kubernetes/permissions-watch.ts';
import { podLookup } from './kubernetes/pod-lookup.ts';
import { PublishedKeys } from './kubernetes/published-keys.ts';
import { type Authenticator, KubernetesAuthenticator } from './kubernetes-authenticator.ts';
import { stderrLog } from './stderr-log.ts';
import { unfailingLog } from './unfailing-log.ts';

/** Without a watch it is `cache.maxAgeMs` that bounds the use of an identity, unless somebody sets that higher. */
const defaultAbsoluteMaxAgeMs = 600_000;

/** What the first review of a token may wait for keys: never more than half of its time. */
const keysTimeoutMs = 1_000;

/**
 * Makes an authenticator: bearer token in, ServiceAccount identity out. Does no I/O: work starts with `ready()` or with
 * the first token. Close it when the service stops.
 *
 * @throws {TypeError} where an option is wrong
 */
export function createAuthenticator(options: AuthenticatorOptions = {}): Authenticator {
  return composeAuthenticator(options, 'createAuthenticator');
}

export function composeAuthenticator(options: AuthenticatorOptions, functionName: string): KubernetesAuthenticator {
  const checked = checkedAuthenticatorOptions(options, functionName);
  const {
    audiences,
    kubeConfig,
    reviewer,
    cache,
    decisions,
    review,
    staleIfUnavailableMs,
    revocation,
    verifyNode,
    clock,
  } = checked;
  const log = checked.log === false ? () => {} : unfailingLog(checked.log ?? stderrLog(clock));
  const connection = async (): Promise<ApiServerConnection> =>
    kubeConfig ? kubeConfigConnection(kubeConfig, log) : defaultConnection(process.env, clock, log);
  const apiServer = new ApiServer(connection, review.maxConcurrent);
  const fetchKeys = (): Promise<unknown> => fetchKeySet(apiServer, Math.min(keysTimeoutMs, review.timeoutMs / 2));
  const { maxAgeMs } = cache;
  const perform = reviewer ?? apiServerReview(apiServer);
  const boundedReviewer = new BoundedReviewer(perform, audiences, review, () => apiServer.close());
  const watched = { namespaces: revocation?.namespaces, maxAgeMs };
  const watch = revocation && new ClusterWatch(apiServer, watched, clock, log);
  const parts: AuthenticatorParts = {
    // A reviewer of one's own may ask any API server: its keys are not known, nor whom it would be asked about.
    signatures: reviewer ? undefined : new PublishedKeys(fetchKeys, clock, log),
    reviewer: boundedReviewer,
    credentialReadAt: () => apiServer.credentialReadAt,
    revocation: {
      source: watch,
      nodes: verifyNode ? nodeLookup(apiServer, review.timeoutMs) : undefined,
      refuseTerminating: revocation?.refuseTerminating ?? false,
    },
    audiences,
    maxEntries: cache.maxEntries,
    lifetimes: { ...cache, absoluteMaxAgeMs: revocation?.maxAgeMs ?? defaultAbsoluteMaxAgeMs, staleIfUnavailableMs },
    clock,
    log,
    random: Math.random,
  };
  if (reviewer) return new KubernetesAuthenticator(parts, undefined);
  return new KubernetesAuthenticator(parts, {
    accessReviewer: new ApiServerAccessReviewer(apiServer, boundedReviewer),
    limits: decisions,
    permissions: revocation && new PermissionsWatch(apiServer, clock, log),
    pods: podLookup(apiServer, boundedReviewer),
    podChanges: watch,
  });
}
