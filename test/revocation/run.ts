// Measures how fast what is deleted is refused, and prints a table: `node test/revocation/run.ts [--count 200] [--simulated]`.
// Takes about 6 minutes on a kube-apiserver of its own (see test/README.md), and touches nothing but loopback addresses.
import { randomBytes } from 'node:crypto';
import type { AuthenticatorOptions } from '../../src/index.ts';
import { startOrdersService } from '../cluster/conformance/orders-service.ts';
import { measure } from './measure.ts';
import { onCluster } from './on-cluster.ts';
import { header, row } from './table.ts';
import { createTargets, type TargetKind } from './targets.ts';

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

await onCluster(async ({ name, client, reviewerToken, count }) => {
  console.log(`\n${name}: ${count} of each, deleted in turn, 50 requests/s in all\n`);
  console.log(header);
  for (const { name: way, kinds, options } of ways) {
    for (const kind of kinds) {
      const targets = await createTargets(client, kind, count, `measured-${randomBytes(4).toString('hex')}`);
      const kubeConfig = client.kubeConfigOf(reviewerToken);
      await using service = await startOrdersService({ audiences: 'orders', kubeConfig, log: false, ...options });
      console.log(row(way, kind, await measure(targets, service, 401)));
    }
  }
});
