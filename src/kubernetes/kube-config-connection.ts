import type { Log } from '../authentication/log.ts';
import { Unavailability } from '../authentication/reviewer.ts';
import type { ApiServerConnection, CallOptions } from './api-server-connection.ts';
import type { KubeConfigLike } from './kube-config.ts';
import { wordsOf } from './words-of.ts';

/**
 * The API server of a kubeconfig's current context.
 *
 * @throws {Unavailability} where the kubeconfig names no server that could be called over TLS
 */
export function kubeConfigConnection(kubeConfig: KubeConfigLike, log: Log): ApiServerConnection {
  const cluster = kubeConfig.getCurrentCluster();
  const server = cluster === null ? null : URL.parse(cluster.server);
  if (cluster === null || server === null) {
    throw new Unavailability(
      'configuration_invalid',
      "The kubeconfig's current context names no cluster with a server. Run `kubectl config get-contexts`.",
    );
  }
  if (server.protocol !== 'https:') {
    throw new Unavailability(
      'configuration_invalid',
      `The kubeconfig's server is ${server.origin}: only https: is safe, as every review carries a caller's token`,
    );
  }
  if (cluster.skipTLSVerify) {
    log({
      level: 'warn',
      code: 'tls_unverified',
      message: "The kubeconfig sets insecure-skip-tls-verify: whoever answers in the API server's place is believed",
    });
  }
  return { server, requestOptions: () => optionsFrom(kubeConfig, cluster.proxyUrl !== undefined) };
}

async function optionsFrom(kubeConfig: KubeConfigLike, viaProxy: boolean): Promise<CallOptions> {
  const options: CallOptions = {};
  try {
    await kubeConfig.applyToHTTPSOptions(options);
  } catch (error) {
    throw new Unavailability('credential_unreadable', `The kubeconfig's credential cannot be had: ${wordsOf(error)}`);
  }
  // client-node's agent opens a connection per call; only a proxy needs it.
  if (!viaProxy) delete options.agent;
  return options;
}
