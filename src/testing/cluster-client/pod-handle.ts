import { type Caller, ObjectHandle } from './object-handle.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { requestToken } from './request-token.ts';
import type { TokenOptions } from './token-options.ts';

/** A Pod that a test created. */
export class PodHandle extends ObjectHandle {
  readonly serviceAccountName: string;
  readonly nodeName: string | undefined;

  constructor(call: Caller, collection: string, object: KubernetesObject) {
    super(call, collection, object);
    this.serviceAccountName = object.spec?.serviceAccountName ?? 'default';
    this.nodeName = object.spec?.nodeName;
  }

  /** Requests a token of the Pod's ServiceAccount, bound to the Pod, as the kubelet does for it. */
  token(options: TokenOptions = {}): Promise<string> {
    const path = `/api/v1/namespaces/${this.namespace}/serviceaccounts/${this.serviceAccountName}`;
    return requestToken(this.call, path, { ...options, boundTo: this });
  }
}
