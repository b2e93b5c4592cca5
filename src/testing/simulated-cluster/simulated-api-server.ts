import { randomUUID } from 'node:crypto';
import { ClusterClient } from '../cluster-client/cluster-client.ts';
import { ApiServer } from './api-server.ts';
import type { TokenAuthority } from './authenticate.ts';
import type { ServerCertificate } from './certificate.ts';
import { type ActiveFault, type Fault, Faults } from './faults.ts';
import { type Disconnection, type HttpServer, startHttpServer } from './http-server.ts';
import { LEASE } from './kinds.ts';
import type { RequestPattern } from './request-kind.ts';
import { Store } from './store.ts';
import { timestamp } from './timestamp.ts';
import { type ConnectionCounters, type RequestCounters, Traffic } from './traffic.ts';
import { WatchCache } from './watch-cache.ts';

/** What the API servers of a cluster share. */
interface Shared {
  readonly authority: TokenAuthority;
  readonly controllers: boolean;
  readonly certificate: ServerCertificate;
  readonly adminToken: string;
}

export interface ApiServerParts {
  readonly authority: TokenAuthority;
  readonly api: ApiServer;
  readonly cache: WatchCache;
  readonly faults: Faults;
  readonly traffic: Traffic;
  /** For its users. */
  readonly server: HttpServer;
  /** For the client's own calls, which are neither counted nor disturbed. */
  readonly ownServer: HttpServer;
  readonly ca: string;
  readonly adminToken: string;
}

/** With a store of its own, which knows all that etcd holds now. */
export async function startApiServer(shared: Shared): Promise<ApiServerParts> {
  const { controllers, certificate, adminToken } = shared;
  const store = new Store();
  const authority: TokenAuthority = { ...shared.authority, store };
  const cache = new WatchCache(authority.etcd, store);
  const faults = new Faults();
  const traffic = new Traffic();
  let address = '';
  const api = new ApiServer({ authority, controllers, address: () => address });
  const [server, ownServer] = await Promise.all([
    startHttpServer({ api, certificate, disturbance: { faults, traffic } }),
    startHttpServer({ api, certificate }),
  ]);
  address = server.address;
  return { authority, api, cache, faults, traffic, server, ownServer, ca: certificate.ca, adminToken };
}

/** One of a cluster's API servers. What its own methods ask of it is neither counted nor hit by faults. */
export class SimulatedApiServer extends ClusterClient {
  readonly #parts: ApiServerParts;

  /** Use `startSimulatedCluster` or `SimulatedCluster.addReplica`. */
  constructor(parts: ApiServerParts) {
    const { server, ownServer, ca, adminToken } = parts;
    super({ server: server.address, ca, token: adminToken, callsGoTo: ownServer.address });
    this.#parts = parts;
  }

  /** What it has been asked so far; live. */
  get requests(): RequestCounters {
    return this.#parts.traffic.requests;
  }

  /** The connections to it; live. */
  get connections(): ConnectionCounters {
    return this.#parts.traffic.connections;
  }

  /**
   * Makes requests of that kind (`'*'`: any, `'watch/*'`: any watch) go wrong, at most `times` of them, until the returned fault is disposed of:
   * `using fault = cluster.fault('tokenreviews', { hang: true })`. Of several faults the latest wins.
   */
  fault(requests: RequestPattern, fault: Fault, { times = Infinity }: { times?: number } = {}): ActiveFault {
    return this.#parts.faults.add(requests, fault, times);
  }

  /**
   * Lets another API server of the cluster answer requests of that kind, as a load balancer does, until the returned fault is
   * disposed of: `using _ = cluster.forward('tokenreviews', replica)`. It counts as a fault: of several the latest wins.
   */
  forward(
    requests: RequestPattern,
    to: SimulatedApiServer,
    { times = Infinity }: { times?: number } = {},
  ): ActiveFault {
    return this.#parts.faults.add(requests, { answeredBy: to.#parts.api }, times);
  }

  /**
   * Learns of no change any more until `release()`, as an API server that lags behind, or is cut off from etcd. What it knows
   * decides about tokens and rights, and is all that watches and lists with a `resourceVersion` show. What goes to
   * etcd itself works and is up to date: writes, plain GETs and lists, and looking up an object it has never heard of.
   */
  hold(): void {
    this.#parts.cache.hold();
  }

  /** Learns of all it has missed, at once, and from then on of each change as it happens. */
  release(): void {
    this.#parts.cache.release();
  }

  /**
   * Forgets all changes so far, as happens every few minutes: whoever goes on from an older resourceVersion is told 410,
   * as the status of a list with `continue`, and in an ERROR event of a watch. Watches that are open go on.
   */
  expireWatches(): void {
    const { store, etcd } = this.#parts.authority;
    store.forgetHistory();
    etcd.forgetHistory();
  }

  /**
   * Takes the connections that are open now from its users. New ones are welcome.
   * `end`: they are closed properly. `reset`: they are reset. `silence`: they stay open, and nothing comes over them any
   * more, as when the server's machine has lost its network.
   */
  disconnect(how: Disconnection): void {
    this.#parts.server.disconnect(how);
  }

  /**
   * It ends and another one takes its place: connections are reset, what it remembered of tokens is forgotten,
   * and a watch that goes on from before is told 410, though nothing has changed. Everything else stays.
   */
  restart(): void {
    const { api, cache, authority } = this.#parts;
    this.disconnect('reset');
    api.forgetTokens();
    writeLease(authority);
    cache.reload();
  }

  /** Stops it and drops all connections, hung ones too. */
  override async close(): Promise<void> {
    const { cache, server, ownServer } = this.#parts;
    await super.close();
    cache.close();
    await Promise.all([server.close(), ownServer.close()]);
  }
}

/** An API server writes as it starts, so that what was the latest version no longer is. */
function writeLease({ etcd, clock }: TokenAuthority): void {
  const { kind, apiVersion } = LEASE;
  const uid = randomUUID();
  const metadata = { name: `apiserver-${uid}`, namespace: 'kube-system', uid, resourceVersion: '' };
  etcd.create(LEASE, { kind, apiVersion, metadata: { ...metadata, creationTimestamp: timestamp(clock.now()) } });
}
