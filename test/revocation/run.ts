// Measures how fast what is deleted is refused, and prints a table: `node test/revocation/run.ts [--count 200] [--simulated]`.
// Takes about 6 minutes on a kube-apiserver of its own (see test/README.md), and touches nothing but loopback addresses.
import { parseArgs } from 'node:util';
import type { AuthenticatorOptions } from '../../src/index.ts';
import { ClusterClient } from '../../src/testing/cluster-client/cluster-client.ts';
import { startSimulatedCluster } from '../../src/testing/simulated-cluster/simulated-cluster.ts';
import { allowWatches } from '../cluster/conformance/allow-watches.ts';
import { bindAuthDelegator } from '../cluster/conformance/bind-auth-delegator.ts';
import { serviceAccountToken } from '../cluster/conformance/service-account-token.ts';
import { startKubeApiserver } from '../cluster/kube-apiserver.ts';
import { type Measured, measure } from './measure.ts';
import type { TargetKind } from './targets.ts';

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
  console.log(
    '| | deleted | refused after: p50 | p99 | at most | last accepted | accepted | came back | alive refused |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|');
  for (const { name: way, kinds, options } of ways) {
    for (const kind of kinds) console.log(row(way, kind, await measure(client, token, kind, count, options)));
  }
}

function row(way: string, kind: TargetKind, measured: Measured): string {
  const { refusedAfterMs: times, lastAcceptedAfterMs, accepted, cameBack, alive, aliveRefused } = measured;
  const at = (part: number): string => inMs(times[Math.ceil(times.length * part) - 1]);
  const cells = [way, `${kind}s`, at(0.5), at(0.99), at(1), inMs(lastAcceptedAfterMs), accepted, cameBack];
  return `| ${[...cells, `${aliveRefused} of ${alive}`].join(' | ')} |`;
}

const inMs = (ms = Number.NaN): string => `${ms < 100 ? ms.toFixed(1) : Math.round(ms).toLocaleString('en')} ms`;

if (values.simulated) {
  await using cluster = await startSimulatedCluster({ controllers: false });
  await run('Simulated cluster', cluster);
} else {
  await using cluster = await startKubeApiserver();
  await using client = new ClusterClient({ server: cluster.server, ca: cluster.ca, token: cluster.adminToken });
  await run(`kube-apiserver ${cluster.version}`, client);
}
