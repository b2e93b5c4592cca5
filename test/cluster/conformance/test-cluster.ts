import type { KeyObject } from 'node:crypto';

import type { Clock } from '../../../src/authentication/clock.ts';
import type { ClusterClient } from '../../../src/testing/cluster-client/cluster-client.ts';
import { readClusterInfo } from '../cluster-info.ts';
import { defaultKubernetesVersion, parseKubernetesVersion } from '../kubernetes-version.ts';
import { givenTestCluster } from './given-test-cluster.ts';
import { simulatedTestCluster } from './simulated-test-cluster.ts';
import { startedTestCluster } from './started-test-cluster.ts';

export interface SignOptions {
  /** Default: `first`. `foreign` is one that the cluster does not know; it claims the first one's key ID. */
  readonly key?: 'first' | 'second' | 'foreign' | KeyObject;
  /** Fields of the header to add, change, or (`undefined`) leave out. */
  readonly header?: Readonly<Record<string, unknown>>;
}

/** What only the cluster's owner has: everything that lets one make tokens that the cluster would never issue. */
export interface ClusterSecrets {
  sign(claims: object, options?: SignOptions): string;
  /** PEM of the first key's public part. */
  readonly publicKey: KeyObject;
  /** The second one signs with ES256. */
  readonly secondKeyId: string;
  /** Accepted, but not the one that the cluster issues with. */
  readonly secondIssuer: string;
  /** The token of the user `jane` with the uid `jane-uid` in the group `humans`: no ServiceAccount. */
  readonly janeToken: string;
}

/** Simulated or real, with one face for the scenarios. */
export interface TestCluster extends AsyncDisposable {
  readonly name: string;
  /** `1.36` */
  readonly version: string;
  readonly client: ClusterClient;
  readonly issuer: string;
  /** The API server's own audience. */
  readonly apiAudience: string;
  /** `undefined` where they are not to be had. */
  readonly secrets: ClusterSecrets | undefined;
  /** The cluster's time; the library is to be given the same. */
  readonly clock: Clock;
  /** Moves the simulated time; really waits on a real cluster. */
  elapse(ms: number): Promise<void>;
  /** Lets a ServiceAccount, `namespace/name`, create TokenReviews and SubjectAccessReviews. */
  allowReviews(serviceAccount: string): Promise<void>;
  /** How many TokenReviews it has been sent, by whomever. */
  countTokenReviews(): Promise<number>;
}

/** The real cluster that this run is for, else a simulated one. */
export async function startTestCluster(): Promise<TestCluster> {
  const info = await readClusterInfo();
  if (info === undefined) {
    return simulatedTestCluster(
      parseKubernetesVersion(process.env['TEST_CLUSTER_VERSION'] ?? defaultKubernetesVersion),
    );
  }
  return info.kind === 'started' ? startedTestCluster(info) : givenTestCluster(info);
}
