// Measures how fast a right that is withdrawn is refused, and prints a table:
// `node test/revocation/rights.ts [--count 200] [--simulated]`. Takes about 8 minutes on a kube-apiserver of its own (see
// test/README.md), and touches nothing but loopback addresses.
import { randomBytes } from 'node:crypto';
import express from 'express';
import { type AuthenticatorOptions, k8sServiceAccountAuth, requirePermission } from '../../src/index.ts';
import { listening } from '../express/support/listening.ts';
import { measure } from './measure.ts';
import { onCluster } from './on-cluster.ts';
import { createRightTargets, group, type RightKind } from './right-targets.ts';
import { header, row } from './table.ts';

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

await onCluster(async ({ name, client, reviewerToken, count }) => {
  console.log(`\n${name}: ${count} rights of one caller, withdrawn in turn, 50 requests/s in all\n`);
  console.log(header);
  for (const { name: way, kinds, options } of ways) {
    for (const kind of kinds) {
      const targets = await createRightTargets(client, kind, count, `measured-${randomBytes(4).toString('hex')}`);
      const kubeConfig = client.kubeConfigOf(reviewerToken);
      await using service = await startService({ audiences: 'orders', kubeConfig, log: false, ...options });
      console.log(row(way, kind, await measure(targets, service, 403)));
    }
  }
});

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
  const server = await listening(app);
  return {
    port: server.port,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await auth.authenticator.close();
    },
  };
}
