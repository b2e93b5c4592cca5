import type { SimulatedCluster } from '../../src/testing/simulated-cluster/simulated-cluster.ts';
import type { Forgery } from './flood.ts';

/** A flood, and what it may cost at most. */
export interface Scenario {
  readonly name: string;
  /** How many of its tokens are reviewed at most, where it lasts so long. */
  readonly reviewsAllowed: (seconds: number) => number;
  /** Whether it comes from the same address as the honest callers, as behind an ingress or a mesh's sidecar. */
  readonly isNeighbour: boolean;
  /** What it is made of. `claims`: those of a real token. */
  readonly forgery: (cluster: SimulatedCluster, claims: Claims) => Forgery;
  /** What goes wrong with the cluster meanwhile. */
  readonly disturb?: (cluster: SimulatedCluster) => Disposable;
  /** What its tokens come to. */
  readonly outcomes: readonly string[];
  /** The honest callers are those of a signer whose keys are not published. */
  readonly isSignerUnpublished?: true;
}

export type Claims = Record<string, unknown>;

const hour = 3_600;
const knownKey = (cluster: SimulatedCluster): Forgery['header'] => ({ alg: 'RS256', kid: cluster.signingKey.keyId });
const unknownKey: Forgery['header'] = { alg: 'RS256', kid: 'random' };
const unknownKeysAllowed = (seconds: number): number => 50 + 10 * seconds;

export const scenarios: readonly Scenario[] = [
  {
    name: 'forged, a known key ID',
    reviewsAllowed: () => 0,
    isNeighbour: true,
    forgery: (cluster, claims) => ({ header: knownKey(cluster), claims: [claims] }),
    outcomes: ['token_forged'],
  },
  {
    name: 'forged, unknown key IDs',
    reviewsAllowed: unknownKeysAllowed,
    isNeighbour: true,
    forgery: (_, claims) => ({ header: unknownKey, claims: [claims] }),
    outcomes: ['token_refused', 'unknown_key_limit'],
  },
  {
    name: 'the same; callers of an unpublished signer',
    reviewsAllowed: unknownKeysAllowed,
    isNeighbour: false,
    forgery: (_, claims) => ({ header: unknownKey, claims: [claims] }),
    outcomes: ['token_refused', 'unknown_key_limit'],
    isSignerUnpublished: true,
  },
  {
    name: 'expired or for others',
    reviewsAllowed: () => 0,
    isNeighbour: true,
    forgery: (cluster, claims) => ({
      header: knownKey(cluster),
      claims: [
        { ...claims, exp: Number(claims['iat']) - hour },
        { ...claims, aud: ['others'] },
      ],
    }),
    outcomes: ['token_expired', 'wrong_audience'],
  },
  {
    name: 'forged, and no keys to be had',
    reviewsAllowed: (seconds) => 200 + 50 * seconds + inFlight,
    isNeighbour: false,
    forgery: (cluster, claims) => ({ header: knownKey(cluster), claims: [claims] }),
    disturb: (cluster) => cluster.fault('jwks', { status: 403 }),
    outcomes: ['token_refused', 'peer_limit'],
  },
  {
    name: 'valid, of one Pod; a slow API server',
    // They are valid: what matters is that the others have their turns.
    reviewsAllowed: () => Infinity,
    isNeighbour: true,
    forgery: (cluster, claims) => {
      const key = cluster.addSigningKey('ES256');
      const privateKey = key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      return { header: { alg: 'ES256', kid: key.keyId }, claims: [claims], privateKey };
    },
    disturb: (cluster) => cluster.fault('tokenreviews', { delayMs: 100 }),
    outcomes: ['200', 'review_queue_full', 'api_server_timeout'],
  },
];

/** The reviews that run or wait when the first of them ends: `review.maxConcurrent` and `review.maxQueued`. */
const inFlight = 32 + 1_024;
