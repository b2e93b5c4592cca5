import { CoreV1Api, type V1Pod } from '@kubernetes/client-node';
import type { DemoCluster } from './demo-cluster.ts';

/** A Pod, as far as the demo needs it. */
export interface Workload {
  readonly name: string;
  /** A token as the kubelet projects it: of the Pod's ServiceAccount, bound to the Pod. */
  token(audience?: string): Promise<string>;
  delete(): Promise<void>;
}

/** Namespaces, ServiceAccounts and Pods, made by plain Kubernetes calls, and all deleted in the end. */
export class Workloads implements AsyncDisposable {
  readonly #core: CoreV1Api;
  readonly #suffix: string;
  readonly #undo: (() => Promise<unknown>)[] = [];

  constructor({ kubeConfig, suffix }: DemoCluster) {
    this.#core = kubeConfig.makeApiClient(CoreV1Api);
    this.#suffix = suffix;
  }

  /** Creates a namespace with these ServiceAccounts, and returns the name it got. */
  async createNamespace(plainName: string, ...serviceAccounts: readonly string[]): Promise<string> {
    const namespace = plainName + this.#suffix;
    await this.#core.createNamespace({ body: { metadata: { name: namespace } } });
    this.#undo.push(() => this.#core.deleteNamespace({ name: namespace }));
    for (const name of serviceAccounts) {
      await this.#core.createNamespacedServiceAccount({ namespace, body: { metadata: { name } } });
      this.#undo.push(() => this.#core.deleteNamespacedServiceAccount({ namespace, name }));
    }
    return namespace;
  }

  /** The name of a Node that Pods can be said to be on: one of the cluster's, if it has any. */
  async someNode(): Promise<string> {
    const { items } = await this.#core.listNode();
    const existing = items[0]?.metadata?.name;
    if (existing !== undefined) return existing;
    const name = `node-a${this.#suffix}`;
    await this.#core.createNode({ body: { metadata: { name } } });
    this.#undo.push(() => this.#core.deleteNode({ name }));
    return name;
  }

  async createPod(namespace: string, serviceAccount: string, name: string, node?: string): Promise<Workload> {
    const body = podOf(serviceAccount, name, node);
    const { metadata } = await this.#core.createNamespacedPod({ namespace, body });
    const uid = metadata?.uid ?? '';
    const remove = (): Promise<unknown> =>
      this.#core.deleteNamespacedPod({ namespace, name, body: { gracePeriodSeconds: 0, preconditions: { uid } } });
    this.#undo.push(remove);
    return {
      name,
      token: (audience = 'orders') => this.#token(namespace, serviceAccount, [audience], { name, uid }),
      delete: async () => {
        await remove();
        this.#undo.splice(this.#undo.indexOf(remove), 1);
      },
    };
  }

  /** A token bound to no Pod; without an audience, for the API server. */
  serviceAccountToken(namespace: string, serviceAccount: string, audience?: string): Promise<string> {
    return this.#token(namespace, serviceAccount, audience === undefined ? [] : [audience]);
  }

  async #token(
    namespace: string,
    name: string,
    audiences: string[],
    pod?: { readonly name: string; readonly uid: string },
  ): Promise<string> {
    const { status } = await this.#core.createNamespacedServiceAccountToken({
      namespace,
      name,
      body: {
        spec: {
          audiences,
          expirationSeconds: 7_200,
          ...(pod && { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', ...pod } }),
        },
      },
    });
    if (status?.token === undefined) throw new Error(`The API server issued no token for ${namespace}/${name}`);
    return status.token;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const undo of this.#undo.toReversed()) await undo();
  }
}

function podOf(serviceAccount: string, name: string, node: string | undefined): V1Pod {
  return {
    metadata: { name },
    spec: {
      serviceAccountName: serviceAccount,
      automountServiceAccountToken: false,
      // It need not run to have an identity: no scheduler of this name will ever give it a Node.
      schedulerName: 'none',
      ...(node !== undefined && { nodeName: node }),
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'main',
          image: 'pause',
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  };
}
