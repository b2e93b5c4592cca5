import { readFile } from 'node:fs/promises';

interface AnyCluster {
  /** Path of a kubeconfig of its administrator. */
  readonly kubeconfig: string;
}

/** A cluster that somebody named by its kubeconfig: its signing key is not to be had. */
export interface GivenCluster extends AnyCluster {
  readonly kind: 'given';
}

/** A cluster that was started for the tests. The fields are those of `RealCluster`, keys as PEM. */
export interface StartedCluster extends AnyCluster {
  readonly kind: 'started';
  readonly version: string;
  readonly server: string;
  readonly ca: string;
  readonly adminToken: string;
  readonly janeToken: string;
  readonly issuer: string;
  readonly secondIssuer: string;
  readonly apiAudience: string;
  readonly signingKey: string;
  readonly signingKeyId: string;
  readonly secondSigningKey: string;
  readonly secondSigningKeyId: string;
}

export type ClusterInfo = GivenCluster | StartedCluster;

/** The real cluster that the tests were started for (`TEST_CLUSTER_INFO`); `undefined` where they run without one. */
export async function readClusterInfo(): Promise<ClusterInfo | undefined> {
  const file = process.env['TEST_CLUSTER_INFO'];
  if (file === undefined) {
    return undefined;
  }
  const info: ClusterInfo = JSON.parse(await readFile(file, 'utf8'));
  return info;
}
