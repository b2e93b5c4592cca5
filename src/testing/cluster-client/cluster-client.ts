import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { KubeConfigLike } from '../../kubernetes/kube-config.ts';
import type { Rule, Subject } from './access.ts';
import { ApiConnection, type ApiResponse, type CallOptions } from './api-connection.ts';
import { type KubernetesObject, kubernetesObject } from './kubernetes-object.ts';
import { NodeHandle } from './node-handle.ts';
import { type Caller, ObjectHandle } from './object-handle.ts';
import { PodHandle } from './pod-handle.ts';
import { rbacCollection, type RbacManifest } from './rbac-manifest.ts';
import { rbacObjects } from './rbac-objects.ts';
import { SecretHandle } from './secret-handle.ts';
import { ServiceAccountHandle } from './service-account-handle.ts';

export interface ClusterClientOptions {
  /** `https://host:port` */
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  /** A token that may do everything. */
  readonly token: string;
  /** Where the client's own calls go. Default: `server`. */
  readonly callsGoTo?: string;
}

export interface PodOptions {
  /** Default: `default`. */
  readonly serviceAccount?: string;
  /** The Node that the Pod is on. Default: none. */
  readonly node?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** While there are any, a deleted Pod goes on existing, with a `deletionTimestamp`. */
  readonly finalizers?: readonly string[];
  /** What its status says. Default: none. */
  readonly podIP?: string;
}

export interface SecretOptions {
  /** The name of a ServiceAccount in the same namespace: the Secret is of the type that holds its legacy token. */
  readonly legacyTokenFor?: string;
  /** Plain text. */
  readonly data?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
}

interface Finalizers {
  readonly finalizers?: readonly string[];
}

/**
 * Creates what tests need through plain Kubernetes REST, on a simulated cluster as on a real one. Objects are named
 * `namespace/name`; a namespace, ServiceAccount or Node that is needed and missing is created. All methods reject with an
 * Error that names the call, the status and the server's message.
 */
export class ClusterClient implements AsyncDisposable {
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  /** As the administrator. */
  readonly kubeConfig: KubeConfigLike;
  readonly #connection: ApiConnection;
  readonly #token: string;

  constructor({ server, ca, token, callsGoTo = server }: ClusterClientOptions) {
    this.server = server;
    this.ca = ca;
    this.#token = token;
    this.kubeConfig = this.kubeConfigOf(token);
    this.#connection = new ApiConnection(callsGoTo, ca, token);
  }

  /** As whoever holds that token; a function is asked before each call. */
  kubeConfigOf(token: string | (() => string | Promise<string>)): KubeConfigLike {
    const { server, ca } = this;
    return {
      getCurrentCluster: () => ({ server }),
      applyToHTTPSOptions: async (options) => {
        const bearer = typeof token === 'string' ? token : await token();
        options.ca = ca;
        options.headers = Object.assign(options.headers ?? {}, { Authorization: `Bearer ${bearer}` });
      },
    };
  }

  /** The content of a kubeconfig file, for kubectl and others. `token`: whose it is. Default: the administrator's. */
  kubeConfigYaml({ token = this.#token }: { readonly token?: string } = {}): string {
    const { server, ca } = this;
    const cluster = { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') };
    // JSON is YAML too.
    return `${JSON.stringify(
      {
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'cluster', cluster }],
        users: [{ name: 'user', user: { token } }],
        contexts: [{ name: 'context', context: { cluster: 'cluster', user: 'user' } }],
        'current-context': 'context',
      },
      undefined,
      2,
    )}\n`;
  }

  async createNamespace(name: string, { finalizers }: Finalizers = {}): Promise<ObjectHandle> {
    const object = await this.#create('/api/v1/namespaces', 'Namespace', { metadata: { name, finalizers } });
    return new ObjectHandle(this.#call, '/api/v1/namespaces', object);
  }

  async createServiceAccount(ref: string, { finalizers }: Finalizers = {}): Promise<ServiceAccountHandle> {
    const { collection, metadata } = await this.#place(ref, 'serviceaccounts', finalizers);
    const object = await this.#create(collection, 'ServiceAccount', { metadata });
    return new ServiceAccountHandle(this.#call, collection, object);
  }

  async createNode(name: string, { finalizers }: Finalizers = {}): Promise<NodeHandle> {
    const object = await this.#create('/api/v1/nodes', 'Node', { metadata: { name, finalizers } });
    return new NodeHandle(this.#call, '/api/v1/nodes', object);
  }

  async createPod(ref: string, options: PodOptions = {}): Promise<PodHandle> {
    const { serviceAccount = 'default', node, labels, finalizers, podIP } = options;
    const { collection, metadata } = await this.#place(ref, 'pods', finalizers);
    await this.#ensure(`/api/v1/namespaces/${metadata.namespace}/serviceaccounts`, 'ServiceAccount', serviceAccount);
    if (node !== undefined) await this.#ensure('/api/v1/nodes', 'Node', node);
    const object = await this.#create(collection, 'Pod', {
      metadata: { ...metadata, labels },
      spec: {
        serviceAccountName: serviceAccount,
        automountServiceAccountToken: false,
        nodeName: node,
        containers: [{ name: 'main', image: 'pause' }],
      },
    });
    const pod = new PodHandle(this.#call, collection, object);
    if (podIP !== undefined) await this.#setPodIP(pod, object, podIP);
    return pod;
  }

  /**
   * With `legacyTokenFor` it waits until the controller that signs legacy tokens has done so; where none runs, give the
   * signed token as `data: { token }`.
   */
  async createSecret(ref: string, { legacyTokenFor, data, finalizers }: SecretOptions = {}): Promise<SecretHandle> {
    const { collection, metadata } = await this.#place(ref, 'secrets', finalizers);
    if (legacyTokenFor === undefined) {
      const object = await this.#create(collection, 'Secret', { metadata, stringData: data });
      return new SecretHandle(this.#call, collection, object);
    }
    await this.#ensure(`/api/v1/namespaces/${metadata.namespace}/serviceaccounts`, 'ServiceAccount', legacyTokenFor);
    const object = await this.#create(collection, 'Secret', {
      type: 'kubernetes.io/service-account-token',
      metadata: { ...metadata, annotations: { 'kubernetes.io/service-account.name': legacyTokenFor } },
      stringData: data,
    });
    const secret = new SecretHandle(this.#call, collection, object);
    await eventually(`the token of the Secret ${ref}`, async () => Boolean((await secret.get())?.data?.['token']));
    return secret;
  }

  /** Grants rights by RBAC and waits until they are in force. */
  async allow(subject: Subject, ...rules: readonly Rule[]): Promise<void> {
    for (const rule of rules) await this.#grant(subject, rule);
  }

  /**
   * Creates Roles, ClusterRoles and their bindings as your manifests have them, or replaces those that are there, and
   * waits until they are in force. For the policies that your service will be deployed with.
   */
  async rbac(...manifests: readonly RbacManifest[]): Promise<void> {
    for (const manifest of manifests) {
      const collection = rbacCollection(manifest);
      const { namespace, name } = manifest.metadata;
      if (namespace !== undefined) await this.#ensure('/api/v1/namespaces', 'Namespace', namespace);
      const { status } = await this.#call('POST', collection, manifest, [409]);
      if (status === 409) await this.#call('PUT', `${collection}/${name}`, manifest);
    }
    const namespaces = new Set(manifests.map(({ metadata }) => metadata.namespace));
    for (const namespace of namespaces) await this.#untilRbacIsInForce(namespace);
  }

  /** What was written last is in force last: once a right given now holds, all that was written before it does. */
  async #untilRbacIsInForce(namespace: string | undefined): Promise<void> {
    const rule = { verb: 'get', group: 'in-force.example.com', resource: 'canaries', ...(namespace && { namespace }) };
    for (const path of await this.#grant({ user: `canary-${randomUUID()}` }, rule)) await this.#call('DELETE', path);
  }

  /** Returns the paths of the role and the binding. */
  async #grant(subject: Subject, rule: Rule): Promise<readonly string[]> {
    const { role, binding, review } = rbacObjects(subject, rule);
    if ('namespace' in rule && rule.namespace !== undefined)
      await this.#ensure('/api/v1/namespaces', 'Namespace', rule.namespace);
    const created = await this.#create(role.collection, role.kind, role.content, RBAC);
    const bound = await this.#create(binding.collection, binding.kind, binding.content(created.metadata.name), RBAC);
    await eventually(`the right to ${JSON.stringify(rule)}`, async () => {
      const { body } = await this.#call('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', review);
      return reviewAnswer.parse(body).status.allowed;
    });
    return [`${role.collection}/${created.metadata.name}`, `${binding.collection}/${bound.metadata.name}`];
  }

  /** A plain call, whatever the status of the answer. A body that is a string is sent as it is, anything else as JSON. */
  request(method: string, path: string, body?: unknown, options?: CallOptions): Promise<ApiResponse> {
    return this.#connection.call(method, path, body, options);
  }

  /** Closes the client's connections; the cluster itself stays as it is. */
  close(): Promise<void> {
    this.#connection.close();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #call: Caller = async (method, path, body, accept = []) => {
    const response = await this.#connection.call(method, path, body);
    if (response.status < 300 || accept.includes(response.status)) return response;
    const { data: failure } = failureAnswer.safeParse(response.body);
    throw new Error(`${method} ${path}: ${response.status} ${failure?.message ?? String(response.body)}`);
  };

  async #create(collection: string, kind: string, content: object, apiVersion = 'v1'): Promise<KubernetesObject> {
    const { body } = await this.#call('POST', collection, { kind, apiVersion, ...content });
    return kubernetesObject(body);
  }

  /** Creates it unless it exists. */
  async #ensure(collection: string, kind: string, name: string): Promise<void> {
    await this.#call('POST', collection, { kind, apiVersion: 'v1', metadata: { name } }, [409]);
  }

  async #place(ref: string, resource: string, finalizers: readonly string[] | undefined): Promise<Place> {
    const [namespace, name, ...rest] = ref.split('/');
    if (!namespace || !name || rest.length > 0) throw new Error(`Expected namespace/name, got ${JSON.stringify(ref)}`);
    await this.#ensure('/api/v1/namespaces', 'Namespace', namespace);
    return {
      collection: `/api/v1/namespaces/${namespace}/${resource}`,
      metadata: { namespace, name, ...(finalizers && { finalizers }) },
    };
  }

  /** Only the subresource `status` of a real API server takes a Pod's address; the kubelet's work. */
  async #setPodIP(pod: PodHandle, object: KubernetesObject, podIP: string): Promise<void> {
    const status = { ...object.status, phase: 'Running', podIP, podIPs: [{ ip: podIP }] };
    await this.#call('PUT', `${pod.path}/status`, { ...object, status });
  }
}

const reviewAnswer = z.object({ status: z.object({ allowed: z.boolean() }) });
const failureAnswer = z.object({ message: z.string() });
const RBAC = 'rbac.authorization.k8s.io/v1';

interface Place {
  readonly collection: string;
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly finalizers?: readonly string[];
  };
}

async function eventually(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`Waited 10 s in vain for ${what}`);
    await sleep(20);
  }
}
