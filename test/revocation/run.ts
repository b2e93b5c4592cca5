// Measures how fast what is deleted is refused, and prints a table: `node test/revocation/run.ts [--count 200] [--simulated]`.
// Takes about 6 minutes on a kube-apiserver of its own (see test/README.md), and touches nothing but loopback addresses.
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { AuthenticatorOptions } from '../../src/index.ts';
import { ClusterClient } from '../../src/testing/cluster-client/cluster-client.ts';
import { startSimulatedCluster } from '../../src/testing/simulated-cluster/simulated-cluster.ts';
import { allowWatches } from '../cluster/conformance/allow-watches.ts';
import { bindAuthDelegator } from '../cluster/conformance/bind-auth-delegator.ts';
import { startOrdersService } from '../cluster/conformance/orders-service.ts';
import { serviceAccountToken } from '../cluster/conformance/service-account-token.ts';
import { startKubeApiserver } from '../cluster/kube-apiserver.ts';
import { measure } from './measure.ts';
import { header, row } from './table.ts';
import { createTargets, type TargetKind } from './targets.ts';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '200' }, simulated: { type: 'boolean', default: false } },
});
const count = Number(values.count);
// Or Express prints every refusal.
process.env['NODE_ENV'] = 'test';

interface Way {
  readonly name: string;
  readonly kinds: readonly TargetKind[];
  readonly options: AuthenticatorOptions;
}

const ways: readonly Way[] = [
  { name: "revocation: 'watch'", kinds: ['Pod', 'ServiceAccount', 'Node'], options: { revocation: 'watch' } },
  { name: 'a review on every request', kinds: ['Pod'], options: { cache: { maxAgeMs: 0 } } },
  { name: "revocation: 'none'", kinds: ['Pod'], options: {} },
];

const reviewer = 'orders/orders';

async function run(name: string, client: ClusterClient): Promise<void> {
  await client.createServiceAccount(reviewer);
  await bindAuthDelegator(client, reviewer);
  await allowWatches(client, reviewer);
  const token = await serviceAccountToken(client, reviewer);
  console.log(`\n${name}: ${count} of each, deleted in turn, 50 requests/s in all\n`);
  console.log(header);
  for (const { name: way, kinds, options } of ways) {
    for (const kind of kinds) {
      const targets = await createTargets(client, kind, count, `measured-${randomBytes(4).toString('hex')}`);
      const kubeConfig = client.kubeConfigOf(token);
      await using service = await startOrdersService({ audiences: 'orders', kubeConfig, log: false, ...options });
      console.log(row(way, kind, await measure(targets, service, 401)));
    }
  }
}

if (values.simulated) {
  await using cluster = await startSimulatedCluster({ controllers: false });
  await run('Simulated cluster', cluster);
} else {
  await using cluster = await startKubeApiserver();
  await using client = new ClusterClient({ server: cluster.server, ca: cluster.ca, token: cluster.adminToken });
  await run(`kube-apiserver ${cluster.version}`, client);
}
