import { join } from 'node:path';
import type { Clock } from '../authentication/clock.ts';
import type { Log } from '../authentication/log.ts';
import { Unavailability } from '../authentication/reviewer.ts';
import type { ApiServerConnection } from './api-server-connection.ts';
import { RotatingFile } from './rotating-file.ts';

/** Where every Pod finds its ServiceAccount's token and the cluster's CA. */
const serviceAccountDirectory = '/var/run/secrets/kubernetes.io/serviceaccount';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Whether this process runs in a Pod: every container's environment names the API server. */
export function isInCluster(env: Environment): boolean {
  return Boolean(env['KUBERNETES_SERVICE_HOST'] ?? env['KUBERNETES_SERVICE_PORT']);
}

/**
 * The API server as a Pod sees it: host and port from the environment, CA and token from their well-known files, each
 * read again as they rotate.
 *
 * @throws {Unavailability} where the environment is incomplete
 */
export function inClusterConnection(
  env: Environment,
  clock: Clock,
  log: Log,
  directory: string = serviceAccountDirectory,
): ApiServerConnection {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  const server = URL.parse(`https://${host?.includes(':') ? `[${host}]` : host}:${port}`);
  if (!host || !port || server === null) {
    throw new Unavailability(
      'configuration_invalid',
      'KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must name the API server; ' +
        `they are ${JSON.stringify(host)} and ${JSON.stringify(port)}`,
    );
  }
  const token = new RotatingFile(join(directory, 'token'), clock, log);
  const ca = new RotatingFile(join(directory, 'ca.crt'), clock, log);
  return {
    server,
    requestOptions: async () => ({
      ca: await ca.content(),
      headers: { authorization: `Bearer ${await token.content()}` },
    }),
    credentialReadAt: () => token.lastReadAt,
    renew: () => {
      ca.expire();
      token.expire();
    },
  };
}
