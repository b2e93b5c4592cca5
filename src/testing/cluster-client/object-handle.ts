import type { ApiResponse } from './api-connection.ts';
import { type KubernetesObject, kubernetesObject } from './kubernetes-object.ts';

/** How the handles reach the API server; throws where the answer is a failure other than those accepted. */
export type Caller = (method: string, path: string, body?: unknown, accept?: readonly number[]) => Promise<ApiResponse>;

/** An object that was created through the client. */
export class ObjectHandle {
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
  /** Of the object in the REST API. */
  readonly path: string;
  protected readonly call: Caller;

  constructor(call: Caller, collection: string, object: KubernetesObject) {
    this.kind = object.kind;
    this.namespace = object.metadata.namespace;
    this.name = object.metadata.name;
    this.uid = object.metadata.uid;
    this.path = `${collection}/${object.metadata.name}`;
    this.call = call;
  }

  /** The object as it is now; undefined once it is gone, even if another one has taken its name. */
  async get(): Promise<KubernetesObject | undefined> {
    const { status, body } = await this.call('GET', this.path, undefined, [404]);
    if (status !== 200) return undefined;
    const object = kubernetesObject(body);
    return object.metadata.uid === this.uid ? object : undefined;
  }

  /** Deletes this very object, without grace by default. A finalizer keeps it, terminating. */
  async delete({ gracePeriodSeconds = 0 }: { gracePeriodSeconds?: number } = {}): Promise<void> {
    const options = { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds, preconditions: { uid: this.uid } };
    await this.call('DELETE', this.path, options);
  }

  /** Replaces the object's finalizers: without any, a terminating object goes. */
  async setFinalizers(finalizers: readonly string[]): Promise<void> {
    const current = await this.get();
    if (!current) throw new Error(`${this.kind} ${this.name} is gone`);
    await this.call('PUT', this.path, { ...current, metadata: { ...current.metadata, finalizers } });
  }
}
