import { generateKeyPair, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { TokenAuthority } from './authenticate.ts';
import { bootstrapRbac } from './bootstrap-rbac.ts';
import { createServerCertificate, type ServerNames } from './certificate.ts';
import { SimulatedClock } from './clock.ts';
import { runControllers } from './controllers.ts';
import { currentKey } from './issue-token.ts';
import { type KubernetesVersion, VERSION_TRAITS } from './kubernetes-version.ts';
import { NAMESPACE } from './kinds.ts';
import { ObjectApi } from './object-api.ts';
import { signToken } from './sign-token.ts';
import { signingKey, type SigningKey } from './signing-key.ts';
import { type ApiServerParts, SimulatedApiServer, startApiServer } from './simulated-api-server.ts';
import { Store } from './store.ts';
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
  const etcd = new Store();
  const state: ClusterState = {
    store: etcd,
    etcd,
    clock: new SimulatedClock(),
    version: VERSION_TRAITS[version],
    keys: [signingKey(privateKey)],
    issuers,
    apiAudiences: options.apiAudiences ?? issuers,
    staticUsers: new Map([[adminToken, ADMIN]]),
  };
  const start = (): Promise<ApiServerParts> =>
    startApiServer({ authority: state, controllers, certificate, adminToken });
  const first = await start();
  if (controllers) runControllers(state);
  createSystemNamespaces(state);
  bootstrapRbac(etcd, state.clock);
  return new SimulatedCluster(state, start, first);
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
}

function createSystemNamespaces({ etcd, clock, version }: ClusterState): void {
  const objects = new ObjectApi({ store: etcd, cache: etcd, clock, version, requireServiceAccounts: false });
  for (const name of ['default', 'kube-node-lease', 'kube-public', 'kube-system']) {
    objects.create(NAMESPACE, '', { metadata: { name } });
  }
}

/** A cluster in this process, and the API server that it has from the start. */
export class SimulatedCluster extends SimulatedApiServer {
  readonly #state: ClusterState;
  readonly #startApiServer: () => Promise<ApiServerParts>;
  readonly #replicas: SimulatedApiServer[] = [];
  #foreignKey: KeyObject | undefined;

  /** Use `startSimulatedCluster`. */
  constructor(state: ClusterState, start: () => Promise<ApiServerParts>, parts: ApiServerParts) {
    super(parts);
    this.#state = state;
    this.#startApiServer = start;
  }

  /** The cluster's time, for all it decides. Hand it to the library too, so that both move together. */
  get clock(): SimulatedClock {
    return this.#state.clock;
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
   * Starts another API server of the cluster, at an address of its own and with the same CA: the same etcd, keys and users
   * behind it, but its own memory of tokens, faults and counters, and its own moment to learn of a change (see `hold`).
   */
  async addReplica(): Promise<SimulatedApiServer> {
    const replica = new SimulatedApiServer(await this.#startApiServer());
    this.#replicas.push(replica);
    return replica;
  }

  /** Stops all API servers and drops all connections, hung ones too. */
  override async close(): Promise<void> {
    await super.close();
    await Promise.all(this.#replicas.map((replica) => replica.close()));
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
