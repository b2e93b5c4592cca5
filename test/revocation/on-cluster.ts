import { parseArgs } from 'node:util';
import { ClusterClient } from '../../src/testing/cluster-client/cluster-client.ts';
import { startSimulatedCluster } from '../../src/testing/simulated-cluster/simulated-cluster.ts';
import { allowWatches } from '../cluster/conformance/allow-watches.ts';
import { bindAuthDelegator } from '../cluster/conformance/bind-auth-delegator.ts';
import { serviceAccountToken } from '../cluster/conformance/service-account-token.ts';
import { startKubeApiserver } from '../cluster/kube-apiserver.ts';

export interface MeasuredCluster {
  readonly name: string;
  readonly client: ClusterClient;
  /** Of a ServiceAccount with the rights that the library takes. */
  readonly reviewerToken: string;
  /** How many are deleted, of each kind and in each way. */
  readonly count: number;
}

const reviewer = 'orders/orders';

/** Measures on the cluster that the command line asks for: `[--count 200] [--simulated]`. */
export async function onCluster(measureOn: (cluster: MeasuredCluster) => Promise<void>): Promise<void> {
  const { values } = parseArgs({
    options: { count: { type: 'string', default: '200' }, simulated: { type: 'boolean', default: false } },
  });
  // Or Express prints every refusal.
  process.env['NODE_ENV'] = 'test';
  const run = async (name: string, client: ClusterClient): Promise<void> => {
    await client.createServiceAccount(reviewer);
    await bindAuthDelegator(client, reviewer);
    await allowWatches(client, reviewer);
    const reviewerToken = await serviceAccountToken(client, reviewer);
    await measureOn({ name, client, reviewerToken, count: Number(values.count) });
  };
  if (values.simulated) {
    await using cluster = await startSimulatedCluster({ controllers: false });
    await run('Simulated cluster', cluster);
  } else {
    await using cluster = await startKubeApiserver();
    await using client = new ClusterClient({ server: cluster.server, ca: cluster.ca, token: cluster.adminToken });
    await run(`kube-apiserver ${cluster.version}`, client);
  }
}
