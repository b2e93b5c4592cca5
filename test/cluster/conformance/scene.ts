import { randomBytes } from 'node:crypto';

import type { PodOptions, SecretOptions } from '../../../src/testing/cluster-client/cluster-client.ts';
import type { NodeHandle } from '../../../src/testing/cluster-client/node-handle.ts';
import type { ObjectHandle } from '../../../src/testing/cluster-client/object-handle.ts';
import type { PodHandle } from '../../../src/testing/cluster-client/pod-handle.ts';
import type { SecretHandle } from '../../../src/testing/cluster-client/secret-handle.ts';
import type { ServiceAccountHandle } from '../../../src/testing/cluster-client/service-account-handle.ts';
import { claimsOf } from './claims-of.ts';
import type { ClusterSecrets, SignOptions, TestCluster } from './test-cluster.ts';

const NAMESPACE = 'shop';
const SERVICE_ACCOUNT = 'web';

type Claims = Readonly<Record<string, unknown>>;
interface Finalizers {
  readonly finalizers?: readonly string[];
}

/**
 * Where a scenario takes place: a namespace `shop` of its own, and whatever it makes elsewhere, under names that no other
 * scenario has. `normalised` takes away again what makes them unique.
 */
export class Scene {
  readonly cluster: TestCluster;
  /** The token of a ServiceAccount that may create TokenReviews. */
  readonly reviewerToken: string;
  readonly #id = randomBytes(4).toString('hex');
  readonly #placeholders = new Map<string, string>();
  readonly #timesMade = new Map<string, number>();

  constructor(cluster: TestCluster, reviewerToken: string) {
    this.cluster = cluster;
    this.reviewerToken = reviewerToken;
  }

  get secrets(): ClusterSecrets {
    const { secrets } = this.cluster;
    if (!secrets) throw new Error('The scenario must say that it needs the secrets of the cluster');
    return secrets;
  }

  /** A name of this scene's own. */
  unique(name: string): string {
    return `${name}-${this.#id}`;
  }

  get namespace(): string {
    return this.unique(NAMESPACE);
  }

  async createNamespace(name: string = NAMESPACE, options: Finalizers = {}): Promise<ObjectHandle> {
    return this.#made(name, await this.cluster.client.createNamespace(this.unique(name), options));
  }

  /** Default: `web`. */
  async serviceAccount(
    name: string = SERVICE_ACCOUNT,
    { namespace = NAMESPACE, ...options }: Finalizers & { namespace?: string } = {},
  ): Promise<ServiceAccountHandle> {
    const ref = `${this.unique(namespace)}/${name}`;
    return this.#made(name, await this.cluster.client.createServiceAccount(ref, options));
  }

  async node(name: string, options: Finalizers = {}): Promise<NodeHandle> {
    return this.#made(name, await this.cluster.client.createNode(this.unique(name), options));
  }

  /** Makes its ServiceAccount (`web` by default) and Node too, unless this scene has made them. */
  async pod(name: string, { serviceAccount = SERVICE_ACCOUNT, node, ...options }: PodOptions = {}): Promise<PodHandle> {
    if (!this.#timesMade.has(`ServiceAccount ${serviceAccount}`)) await this.serviceAccount(serviceAccount);
    if (node !== undefined && !this.#timesMade.has(`Node ${node}`)) await this.node(node);
    const pod = await this.cluster.client.createPod(`${this.namespace}/${name}`, {
      ...options,
      serviceAccount,
      ...(node !== undefined && { node: this.unique(node) }),
    });
    return this.#made(name, pod);
  }

  async secret(name: string, options: SecretOptions = {}): Promise<SecretHandle> {
    return this.#made(name, await this.cluster.client.createSecret(`${this.namespace}/${name}`, options));
  }

  /** Reviews a token, which the API server may then remember. */
  async review(token: string, audiences: readonly string[] = ['orders']): Promise<void> {
    const path = '/apis/authentication.k8s.io/v1/tokenreviews';
    const { status } = await this.cluster.client.request('POST', path, { spec: { token, audiences } });
    if (status !== 201) throw new Error(`The review was answered with ${status}`);
  }

  /** Whole seconds since the epoch. */
  get now(): number {
    return Math.floor(this.cluster.clock.now() / 1000);
  }

  /** The claims of a token, changed (`undefined` takes one away) and signed, by default with the cluster's own key. */
  resigned(token: string, changes: Claims | ((claims: Claims) => object), options?: SignOptions): string {
    const claims = claimsOf(token);
    if (!claims) throw new Error('Not a JWT');
    const changed = typeof changes === 'function' ? changes(claims) : { ...claims, ...changes };
    return this.secrets.sign(changed, options);
  }

  /** A legacy token: signed as the controller does it, and kept in a Secret. */
  async legacy(
    secretName: string,
    serviceAccount: ServiceAccountHandle,
    changes: Claims = {},
  ): Promise<{ token: string; secret: SecretHandle }> {
    const prefix = 'kubernetes.io/serviceaccount';
    const token = this.secrets.sign({
      iss: prefix.replace('.io', ''),
      [`${prefix}/namespace`]: this.namespace,
      [`${prefix}/secret.name`]: secretName,
      [`${prefix}/service-account.name`]: serviceAccount.name,
      [`${prefix}/service-account.uid`]: serviceAccount.uid,
      sub: serviceAccount.username,
      ...changes,
    });
    const secret = await this.secret(secretName, { legacyTokenFor: serviceAccount.name, data: { token } });
    return { token, secret };
  }

  /** An observation without what differs from run to run: unique names, uids, times, tokens. */
  normalised(observation: unknown, token: string | undefined): unknown {
    const replacements = new Map(this.#placeholders);
    const claims = token === undefined ? undefined : claimsOf(token);
    if (typeof claims?.['jti'] === 'string' && claims['jti'].length === 36) replacements.set(claims['jti'], '<jti>');
    // Bookkeeping for server-side apply, which says nothing about tokens or rights.
    let text = JSON.stringify(observation, (key, value: unknown) => (key === 'managedFields' ? undefined : value));
    if (token) text = text.replaceAll(JSON.stringify(token), '"<token>"');
    for (const [value, placeholder] of replacements) text = text.replaceAll(value, placeholder);
    return JSON.parse(
      text
        .replaceAll(`-${this.#id}`, '')
        .replaceAll(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '<time>')
        // `allow` lets the API server invent names for roles and bindings.
        .replaceAll(/granted-[a-z0-9]{5}\b/g, 'granted-<random>'),
    );
  }

  #made<Handle extends ObjectHandle>(name: string, handle: Handle): Handle {
    const what = `${handle.kind} ${name}`;
    const times = (this.#timesMade.get(what) ?? 0) + 1;
    this.#timesMade.set(what, times);
    this.#placeholders.set(handle.uid, times === 1 ? `<${what}>` : `<${what} #${times}>`);
    return handle;
  }
}
