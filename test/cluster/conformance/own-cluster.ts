import { setTimeout as sleep } from 'node:timers/promises';

import { type Clock, systemClock } from '../../../src/authentication/clock.ts';
import { ClusterClient } from '../../../src/testing/cluster-client/cluster-client.ts';
import { startSimulatedCluster } from '../../../src/testing/simulated-cluster/simulated-cluster.ts';
import { readClusterInfo } from '../cluster-info.ts';
import { startKubeApiserver } from '../kube-apiserver.ts';
import { defaultKubernetesVersion, parseKubernetesVersion } from '../kubernetes-version.ts';

/** A cluster of one test's own, to do things to that others would not survive. */
export interface OwnCluster extends AsyncDisposable {
  readonly client: ClusterClient;
  /** The cluster's time; the library is to be given the same. */
  readonly clock: Clock;
  /** Ends the API server and starts another one in its place. */
  restart(): Promise<void>;
  /** Makes etcd forget what was before. */
  compact(): Promise<void>;
  addReplica(): Promise<Replica>;
  /** Moves the simulated time; really waits on a real cluster. */
  elapse(ms: number): Promise<void>;
}

export interface Replica {
  readonly client: ClusterClient;
  /** From now on it learns of no change, until `release()`. */
  hold(): void;
  release(): void;
}

/** Of the kind of cluster that this run is for; there is none where somebody named a cluster by its kubeconfig. */
export async function startOwnCluster(): Promise<OwnCluster> {
  const info = await readClusterInfo();
  return info ? realCluster() : simulatedCluster();
}

async function simulatedCluster(): Promise<OwnCluster> {
  const version = parseKubernetesVersion(process.env['TEST_CLUSTER_VERSION'] ?? defaultKubernetesVersion);
  const cluster = await startSimulatedCluster({ controllers: false, version });
  return {
    client: cluster,
    clock: cluster.clock,
    restart: () => Promise.resolve(cluster.restart()),
    compact: () => Promise.resolve(cluster.expireWatches()),
    async addReplica() {
      const replica = await cluster.addReplica();
      return { client: replica, hold: () => replica.hold(), release: () => replica.release() };
    },
    elapse: (ms) => Promise.resolve(cluster.clock.advance(ms)),
    [Symbol.asyncDispose]: () => cluster.close(),
  };
}

/** kube-apiserver is the one that the run found: KUBEBUILDER_ASSETS says where. */
async function realCluster(): Promise<OwnCluster> {
  const cluster = await startKubeApiserver();
  const clientOf = ({ server, ca }: { readonly server: string; readonly ca: string }): ClusterClient =>
    new ClusterClient({ server, ca, token: cluster.adminToken });
  const first = clientOf(cluster);
  const clients = [first];
  return {
    client: first,
    clock: systemClock,
    restart: () => cluster.restartApiserver(),
    compact: () => cluster.compactEtcd(),
    async addReplica() {
      const replica = await cluster.addReplica();
      const client = clientOf(replica);
      clients.push(client);
      return { client, hold: () => replica.cutOff(), release: () => replica.reconnect() };
    },
    elapse: (ms) => sleep(ms),
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.close()));
      await cluster.stop();
    },
  };
}
