import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../authentication/clock.ts';
import type { Log } from '../authentication/log.ts';
import { Unavailability } from '../authentication/reviewer.ts';
import type { ApiServerConnection } from './api-server-connection.ts';
import { type Environment, inClusterConnection, isInCluster } from './in-cluster-connection.ts';
import { kubeConfigConnection } from './kube-config-connection.ts';
import { wordsOf } from './words-of.ts';

/**
 * The API server to ask where nobody said which: in a Pod its own cluster's, else the one of the kubeconfig that
 * kubectl would use. Never what client-node falls back to (`~/.kube/config` inside a Pod, `http://localhost:8080`).
 *
 * @throws {Unavailability}
 */
export async function defaultConnection(env: Environment, clock: Clock, log: Log): Promise<ApiServerConnection> {
  if (isInCluster(env)) return inClusterConnection(env, clock, log);
  const home = join(homedir(), '.kube', 'config');
  if (!env['KUBECONFIG'] && !existsSync(home)) {
    throw new Unavailability(
      'configuration_invalid',
      'No API server is configured: this process runs in no Pod (KUBERNETES_SERVICE_HOST is not set), KUBECONFIG is ' +
        `not set, and ${home} does not exist. Set one of them, or the option \`kubeConfig\`.`,
    );
  }
  // Loaded only here: it costs 0.4 s and 70 MB, which no Pod should pay.
  const { KubeConfig } = await import('@kubernetes/client-node');
  const kubeConfig = new KubeConfig();
  try {
    kubeConfig.loadFromDefault();
  } catch (error) {
    throw new Unavailability('configuration_invalid', `The kubeconfig cannot be read: ${wordsOf(error)}`);
  }
  return kubeConfigConnection(kubeConfig, log);
}
