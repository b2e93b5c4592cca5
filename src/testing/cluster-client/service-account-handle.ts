import { ObjectHandle } from './object-handle.ts';
import { requestToken } from './request-token.ts';
import type { ServiceAccountTokenOptions } from './token-options.ts';

/** A ServiceAccount that a test created. */
export class ServiceAccountHandle extends ObjectHandle {
  /** As TokenReviews name it: `system:serviceaccount:namespace:name`. */
  get username(): string {
    return `system:serviceaccount:${this.namespace}:${this.name}`;
  }

  /** Requests a token, bound to nothing by default. */
  token(options: ServiceAccountTokenOptions = {}): Promise<string> {
    return requestToken(this.call, this.path, options);
  }
}
