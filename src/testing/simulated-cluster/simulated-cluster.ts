import { generateKeyPair, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { ClusterClient } from '../cluster-client/cluster-client.ts';
import { ApiServer } from './api-server.ts';
import type { TokenAuthority } from './authenticate.ts';
import { bootstrapRbac } from './bootstrap-rbac.ts';
import { createServerCertificate, type ServerNames } from './certificate.ts';
import { SimulatedClock } from './clock.ts';
import { runControllers } from './controllers.ts';
import { type ActiveFault, type Fault, Faults } from './faults.ts';
import { type Disconnection, type HttpServer, startHttpServer } from './http-server.ts';
import { currentKey } from './issue-token.ts';
import { type KubernetesVersion, VERSION_TRAITS } from './kubernetes-version.ts';
import { NAMESPACE } from './kinds.ts';
import { ObjectApi } from './object-api.ts';
import type { RequestPattern } from './request-kind.ts';
import { signToken } from './sign-token.ts';
import { signingKey, type SigningKey } from './signing-key.ts';
import { Store } from './store.ts';
import { type ConnectionCounters, type RequestCounters, Traffic } from './traffic.ts';
import type { User } from './user.ts';

export interface SimulatedClusterOptions {
  /**
   * Token issuers; the first one issues and stands in the discovery document, the others are accepted too.
   * Default: `https://kubernetes.default.svc.cluster.local`.
   */
  readonly issuers?: readonly [string, ...string[]];
  /** Audiences of the API server itself. Default: the issuers, as in Kubernetes. */
  readonly apiAudiences?: readonly [string, ...string[]];
  /**
   * Whether the controllers of a whole cluster run: a namespace has a ServiceAccount `default`, a deleted namespace is
   * emptied and removed, token Secrets get their token, a Pod's ServiceAccount must exist, ClusterRoles are aggregated. `false` is a bare API server,
   * where a deleted namespace stays, terminating, with all that is in it. Default: true. A kubelet runs in neither case:
   * Pods on a Node are terminating until they are deleted with `gracePeriodSeconds: 0`.
   */
  readonly controllers?: boolean;
  /** The Kubernetes version whose API server it answers as. They differ in details. Default: `1.36`. */
  readonly version?: KubernetesVersion;
}

export interface SignOptions {
  /** Default: the cluster's own key. `'foreign'` is a key that the cluster does not know. */
  readonly key?: SigningKey | KeyObject | 'foreign';
  /** Fields of the header to add, change, or (`undefined`) leave out: `{ kid: undefined }`, `{ alg: 'none' }`. */
  readonly header?: Readonly<Record<string, unknown>>;
}

/**
 * Starts a cluster in this process: an HTTPS server on a loopback port that answers as a kube-apiserver does. Keys and
 * certificates are made anew each time.
 */
export async function startSimulatedCluster(options: SimulatedClusterOptions = {}): Promise<SimulatedCluster> {
  const { issuers = ['https://kubernetes.default.svc.cluster.local'], controllers = true, version = '1.36' } = options;
  const [certificate, { privateKey }] = await Promise.all([
    createServerCertificate(SERVER_NAMES),
    promisify(generateKeyPair)('rsa', { modulusLength: 2048 }),
  ]);
  const adminToken = randomBytes(24).toString('base64url');
  const state: ClusterState = {
    store: new Store(),
    clock: new SimulatedClock(),
    version: VERSION_TRAITS[version],
    keys: [signingKey(privateKey)],
    issuers,
    apiAudiences: options.apiAudiences ?? issuers,
    staticUsers: new Map([[adminToken, ADMIN]]),
    faults: new Faults(),
    traffic: new Traffic(),
  };
  if (controllers) runControllers(state);
  createSystemNamespaces(state);
  bootstrapRbac(state.store, state.clock);

  let address = '';
  const api = new ApiServer({ authority: state, controllers, address: () => address });
  const { faults, traffic } = state;
  const servers = await Promise.all([
    startHttpServer({ api, certificate, disturbance: { faults, traffic } }),
    startHttpServer({ api, certificate }),
  ]);
  address = servers[0].address;
  return new SimulatedCluster(state, api, servers, certificate.ca, adminToken);
}

const SERVER_NAMES: ServerNames = {
  dnsNames: [
    'localhost',
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
  ],
  addresses: [Uint8Array.of(127, 0, 0, 1), Uint8Array.of(...Array<number>(15).fill(0), 1)],
};
const ADMIN: User = { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };

interface ClusterState extends TokenAuthority {
  readonly keys: SigningKey[];
  readonly staticUsers: Map<string, User>;
  readonly faults: Faults;
  readonly traffic: Traffic;
}

function createSystemNamespaces({ store, clock }: ClusterState): void {
  const objects = new ObjectApi({ store, clock, requireServiceAccounts: false });
  for (const name of ['default', 'kube-node-lease', 'kube-public', 'kube-system']) {
    objects.create(NAMESPACE, '', { metadata: { name } });
  }
}

/** A cluster in this process. What its own methods ask of it is neither counted nor hit by faults. */
export class SimulatedCluster extends ClusterClient implements AsyncDisposable {
  readonly #state: ClusterState;
  readonly #api: ApiServer;
  readonly #servers: readonly HttpServer[];
  #foreignKey: KeyObject | undefined;

  /** Use `startSimulatedCluster`. */
  constructor(
    state: ClusterState,
    api: ApiServer,
    [server, ownServer]: readonly [HttpServer, HttpServer],
    ca: string,
    adminToken: string,
  ) {
    super({ server: server.address, ca, token: adminToken, callsGoTo: ownServer.address });
    this.#state = state;
    this.#api = api;
    this.#servers = [server, ownServer];
  }

  /** The cluster's time, for all it decides. Hand it to the library too, so that both move together. */
  get clock(): SimulatedClock {
    return this.#state.clock;
  }

  /** What the cluster has been asked so far; live. */
  get requests(): RequestCounters {
    return this.#state.traffic.requests;
  }

  /** The connections to it; live. */
  get connections(): ConnectionCounters {
    return this.#state.traffic.connections;
  }

  /** The key that signs its tokens. */
  get signingKey(): SigningKey {
    return currentKey(this.#state);
  }

  /** Adds a key whose tokens are accepted; `published: false` keeps it out of `/openid/v1/jwks`. Default: published. */
  addSigningKey(algorithm: SigningKey['algorithm'], { published = true }: { published?: boolean } = {}): SigningKey {
    const { privateKey } =
      algorithm === 'ES256'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = signingKey(privateKey, published);
    this.#state.keys.push(key);
    return key;
  }

  /** Signs any claims: a token such as the cluster itself would never issue. */
  signToken(claims: object, { key = this.signingKey, header = {} }: SignOptions = {}): string {
    const { algorithm: alg, keyId: kid } = isSigningKey(key) ? key : this.signingKey;
    return signToken({ alg, kid, ...header }, claims, isSigningKey(key) ? key.privateKey : this.#keyObject(key));
  }

  /** Adds a user that is no ServiceAccount and returns its token. `system:authenticated` is among its groups. */
  createUser(username: string, { uid, groups = [] }: { uid?: string; groups?: readonly string[] } = {}): string {
    const token = randomBytes(24).toString('base64url');
    const user: User = { username, ...(uid && { uid }), groups: [...groups, 'system:authenticated'] };
    this.#state.staticUsers.set(token, user);
    return token;
  }

  /**
   * Makes requests of that kind (`'*'`: any, `'watch/*'`: any watch) go wrong, at most `times` of them, until the returned fault is disposed of:
   * `using fault = cluster.fault('tokenreviews', { hang: true })`. Of several faults the latest wins.
   */
  fault(requests: RequestPattern, fault: Fault, { times = Infinity }: { times?: number } = {}): ActiveFault {
    return this.#state.faults.add(requests, fault, times);
  }

  /**
   * Forgets all changes so far, as etcd does every few minutes: whoever goes on from an older resourceVersion is told 410,
   * as the status of a list with `continue`, and in an ERROR event of a watch. Watches that are open go on.
   */
  expireWatches(): void {
    this.#state.store.forgetHistory();
  }

  /**
   * Takes the connections that are open now from the cluster's users. New ones are welcome.
   * `end`: they are closed properly. `reset`: they are reset. `silence`: they stay open, and nothing comes over them any
   * more, as when the server's machine has lost its network.
   */
  disconnect(how: Disconnection): void {
    this.#servers[0]?.disconnect(how);
  }

  /**
   * The API server ends and another one takes its place: connections are reset, what it remembered of tokens is forgotten,
   * and a watch that goes on from before is told 410, though nothing has changed. Everything else stays.
   */
  restart(): void {
    this.disconnect('reset');
    this.#api.forgetTokens();
    // An API server writes as it starts, so that what was the latest version no longer is.
    this.#state.store.skipVersion();
    this.#state.store.forgetHistory();
  }

  /** Stops the servers and drops all connections, hung ones too. */
  override async close(): Promise<void> {
    await super.close();
    await Promise.all(this.#servers.map((server) => server.close()));
  }

  #keyObject(key: KeyObject | 'foreign'): KeyObject {
    if (key !== 'foreign') return key;
    this.#foreignKey ??= generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    return this.#foreignKey;
  }
}

function isSigningKey(key: SigningKey | KeyObject | 'foreign'): key is SigningKey {
  return typeof key === 'object' && 'keyId' in key;
}
