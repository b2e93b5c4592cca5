import { ObjectHandle } from './object-handle.ts';
import type { ServiceAccountHandle } from './service-account-handle.ts';
import type { TokenOptions } from './token-options.ts';

/** A Secret that a test created. */
export class SecretHandle extends ObjectHandle {
  /** Requests a token of that ServiceAccount, bound to the Secret. */
  token({ serviceAccount, ...options }: TokenOptions & { serviceAccount: ServiceAccountHandle }): Promise<string> {
    return serviceAccount.token({ ...options, boundTo: this });
  }

  /** The legacy token that the Secret holds, if it was created with `legacyTokenFor`. */
  async legacyToken(): Promise<string> {
    const secret = await this.get();
    const token = secret?.data?.['token'];
    if (!token) throw new Error(`The Secret ${this.namespace}/${this.name} holds no token`);
    return Buffer.from(token, 'base64').toString();
  }
}
