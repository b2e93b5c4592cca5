import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AccessDescription,
  type Authenticator,
  createAuthenticator,
  describeAccess,
} from 'k8s-service-account-auth';
import { ordersService } from '../orders-service/service.ts';
import type { DemoCluster } from './demo-cluster.ts';
import { Workloads } from './workloads.ts';

/** The orders service, listening on a loopback port, and the cluster it asks about its callers. */
export interface Stage extends AsyncDisposable {
  readonly cluster: DemoCluster;
  readonly workloads: Workloads;
  readonly authenticator: Authenticator;
  /** Who comes to which route. */
  readonly access: AccessDescription;
  /** Where the service listens. */
  readonly url: string;
  /** The namespace whose Pods may ask for orders. */
  readonly shop: string;
}

export async function openStage(cluster: DemoCluster): Promise<Stage> {
  await using cleanUp = new AsyncDisposableStack();
  const workloads = cleanUp.use(new Workloads(cluster));
  const shop = await workloads.createNamespace('shop', 'web', 'agent');
  const orders = await workloads.createNamespace('orders', 'orders');
  await cluster.allowReviews(orders, 'orders');

  // Reviews are made as the service's own ServiceAccount, as they will be in a cluster.
  const credential = await workloads.serviceAccountToken(orders, 'orders');
  const authenticator = cleanUp.use(
    createAuthenticator({
      audiences: 'orders',
      kubeConfig: cluster.kubeConfigOf(credential),
      clock: cluster.clock,
      // What it would say stands in the table.
      log: false,
    }),
  );
  await readyWithin(5_000, authenticator);

  const service = ordersService({ authenticator, shopNamespace: shop });
  const server = service.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.defer(() => closed(server));
  const disposables = cleanUp.move();
  return {
    cluster,
    workloads,
    authenticator,
    access: describeAccess(service),
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    shop,
    [Symbol.asyncDispose]: () => disposables.disposeAsync(),
  };
}

/** RBAC is in force only a moment after it was written. */
async function readyWithin(ms: number, authenticator: Authenticator): Promise<void> {
  const deadline = performance.now() + ms;
  for (;;) {
    try {
      return await authenticator.ready();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(50);
    }
  }
}

async function closed(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}
