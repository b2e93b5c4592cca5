import type { RequestOptions } from 'node:https';

/**
 * The part of a kubeconfig this library uses. `KubeConfig` of `@kubernetes/client-node` satisfies it, and so does
 * `cluster.kubeConfig` of the simulated cluster.
 */
export interface KubeConfigLike {
  /** The cluster of the current context; `null` where there is none. */
  getCurrentCluster(): KubeConfigCluster | null;
  /** Adds what a call to that cluster needs: CA, client certificate, credential header, proxy agent. */
  applyToHTTPSOptions(options: RequestOptions): Promise<void> | void;
}

/** A cluster as a kubeconfig names it. */
export interface KubeConfigCluster {
  /** The URL of its API server, `https:` only. */
  readonly server: string;
  /** `insecure-skip-tls-verify`, which is logged. */
  readonly skipTLSVerify?: boolean;
  /** `proxy-url`: the agent for it comes from `applyToHTTPSOptions`. */
  readonly proxyUrl?: string;
}
