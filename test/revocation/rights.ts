// Measures how fast a right that is withdrawn is refused, and prints a table:
// `node test/revocation/rights.ts [--count 200] [--simulated]`. Takes about 8 minutes on a kube-apiserver of its own (see
// test/README.md), and touches nothing but loopback addresses.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import express from 'express';
import { type AuthenticatorOptions, k8sServiceAccountAuth, requirePermission } from '../../src/index.ts';
import { ClusterClient } from '../../src/testing/cluster-client/cluster-client.ts';
import { startSimulatedCluster } from '../../src/testing/simulated-cluster/simulated-cluster.ts';
import { allowWatches } from '../cluster/conformance/allow-watches.ts';
import { bindAuthDelegator } from '../cluster/conformance/bind-auth-delegator.ts';
import { serviceAccountToken } from '../cluster/conformance/service-account-token.ts';
import { startKubeApiserver } from '../cluster/kube-apiserver.ts';
import { measure } from './measure.ts';
import { createRightTargets, group, type RightKind } from './right-targets.ts';
import { header, row } from './table.ts';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '200' }, simulated: { type: 'boolean', default: false } },
});
const count = Number(values.count);
// Or Express prints every refusal.
process.env['NODE_ENV'] = 'test';

interface Way {
  readonly name: string;
  readonly kinds: readonly RightKind[];
  readonly options: AuthenticatorOptions;
}

const ways: readonly Way[] = [
  {
    name: "revocation: 'watch'",
    kinds: ['RoleBinding', 'Role', 'ClusterRoleBinding', 'ClusterRole'],
    options: { revocation: 'watch' },
  },
  {
    name: 'a review on every request',
    kinds: ['RoleBinding'],
    options: { decisions: { maxAgeMs: 0, denialMaxAgeMs: 0 } },
  },
  { name: "revocation: 'none'", kinds: ['RoleBinding'], options: {} },
];

const reviewer = 'orders/orders';

async function run(name: string, client: ClusterClient): Promise<void> {
  await client.createServiceAccount(reviewer);
  await bindAuthDelegator(client, reviewer);
  await allowWatches(client, reviewer);
  const token = await serviceAccountToken(client, reviewer);
  console.log(`\n${name}: ${count} rights of one caller, withdrawn in turn, 50 requests/s in all\n`);
  console.log(header);
  for (const { name: way, kinds, options } of ways) {
    for (const kind of kinds) {
      const targets = await createRightTargets(client, kind, count, `measured-${randomBytes(4).toString('hex')}`);
      const kubeConfig = client.kubeConfigOf(token);
      await using service = await startService({ audiences: 'orders', kubeConfig, log: false, ...options });
      console.log(row(way, kind, await measure(targets, service, 403)));
    }
  }
}

async function startService(options: AuthenticatorOptions): Promise<AsyncDisposable & { readonly port: number }> {
  const auth = k8sServiceAccountAuth(options);
  const app = express().use(auth);
  app.get(
    '/:namespace/:resource',
    requirePermission((req) => ({
      verb: 'get',
      group,
      resource: req.params['resource'] ?? '',
      namespace: req.params['namespace'] ?? '',
    })),
    (_req, res) => void res.end(),
  );
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await auth.authenticator.close();
    },
  };
}

if (values.simulated) {
  await using cluster = await startSimulatedCluster({ controllers: false });
  await run('Simulated cluster', cluster);
} else {
  await using cluster = await startKubeApiserver();
  await using client = new ClusterClient({ server: cluster.server, ca: cluster.ca, token: cluster.adminToken });
  await run(`kube-apiserver ${cluster.version}`, client);
}
