import { ObjectHandle } from './object-handle.ts';
import type { ServiceAccountHandle } from './service-account-handle.ts';
import type { TokenOptions } from './token-options.ts';

/** A Node that a test created. */
export class NodeHandle extends ObjectHandle {
  /** Requests a token of that ServiceAccount, bound to the Node. */
  token({ serviceAccount, ...options }: TokenOptions & { serviceAccount: ServiceAccountHandle }): Promise<string> {
    return serviceAccount.token({ ...options, boundTo: this });
  }
}
