import type { LookupFunction } from 'node:net';
import { CoreAuthenticator } from '../../src/authentication/authenticator.ts';
import type { Clock } from '../../src/authentication/clock.ts';
import type { Log } from '../../src/authentication/log.ts';
import type { ApiServerConnection } from '../../src/kubernetes/api-server-connection.ts';
import { ApiServer } from '../../src/kubernetes/api-server.ts';
import { apiServerReview } from '../../src/kubernetes/api-server-review.ts';
import { BoundedReviewer, type ReviewFunction } from '../../src/kubernetes/bounded-reviewer.ts';
import { fetchKeySet } from '../../src/kubernetes/fetch-key-set.ts';
import { inClusterConnection } from '../../src/kubernetes/in-cluster-connection.ts';
import { PublishedKeys } from '../../src/kubernetes/published-keys.ts';

export interface PodOptions {
  readonly host: string;
  readonly port: number;
  /** In place of the one where a Pod finds its token and CA. */
  readonly directory: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** What the credential's files and the keys age by. Default: `clock`. */
  readonly agingClock?: Clock;
  readonly log: Log;
  /** Resolves the host. Default: the system. */
  readonly lookup?: LookupFunction;
  /** Told of each TokenReview that is sent, retries included. */
  readonly onCall?: () => void;
  readonly maxEntries?: number;
}

/** The authenticator that `createAuthenticator()` makes in a Pod, but for the directory. */
export function podAuthenticator(options: PodOptions): CoreAuthenticator {
  const { host, port, directory, timeoutMs, clock, log, lookup, agingClock = clock } = options;
  const { onCall = () => {}, maxEntries = 10_000 } = options;
  const env = { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: String(port) };
  const connection = async (): Promise<ApiServerConnection> => {
    const inCluster = inClusterConnection(env, agingClock, log, directory);
    if (lookup === undefined) return inCluster;
    return { ...inCluster, requestOptions: async () => ({ ...(await inCluster.requestOptions()), lookup }) };
  };
  const limits = { timeoutMs, maxConcurrent: 32, maxQueued: 1_024 };
  const apiServer = new ApiServer(connection, limits.maxConcurrent);
  const review = apiServerReview(apiServer);
  const counted: ReviewFunction = (...call) => {
    onCall();
    return review(...call);
  };
  return new CoreAuthenticator({
    signatures: new PublishedKeys(() => fetchKeySet(apiServer, Math.min(1_000, timeoutMs / 2)), agingClock, log),
    reviewer: new BoundedReviewer(counted, ['orders'], limits, () => apiServer.close()),
    credentialReadAt: () => apiServer.credentialReadAt,
    audiences: ['orders'],
    maxEntries,
    lifetimes: { maxAgeMs: 60_000, absoluteMaxAgeMs: 600_000, staleIfUnavailableMs: 0, rejectionMaxAgeMs: 10_000 },
    clock,
    log,
    random: Math.random,
  });
}
