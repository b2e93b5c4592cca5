import type { NodeHandle } from './node-handle.ts';
import type { PodHandle } from './pod-handle.ts';
import type { SecretHandle } from './secret-handle.ts';

export interface TokenOptions {
  /** Default: the API server's own. */
  readonly audiences?: string | readonly string[];
  /** From 600 to 2^32. Default: 3600. */
  readonly expirationSeconds?: number;
}

export interface ServiceAccountTokenOptions extends TokenOptions {
  /** The object that the token's validity is tied to. */
  readonly boundTo?: PodHandle | NodeHandle | SecretHandle;
}
