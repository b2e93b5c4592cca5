import { randomInt } from 'node:crypto';
import type { RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkServerIdentity } from 'node:tls';
import { KubeConfig, RbacAuthorizationV1Api } from '@kubernetes/client-node';
import type { Clock } from 'k8s-service-account-auth';
import { aMinute, type DemoCluster } from './demo-cluster.ts';
import { startRelay } from './relay.ts';

/** The API server goes by what it remembers for 10 s, and no clock of ours moves that. */
const apiServerCacheMs = 12_000;

/** The cluster of the kubeconfig's current context, whose user must be an administrator. */
export async function realDemoCluster(kubeConfigFile: string, say: (line: string) => void): Promise<DemoCluster> {
  const kubeConfig = kubeConfigOf(kubeConfigFile);
  const server = URL.parse(kubeConfig.getCurrentCluster()?.server ?? '');
  if (server?.protocol !== 'https:') {
    throw new Error(`The current context of ${kubeConfigFile} names no cluster with an https: server`);
  }
  const admin: RequestOptions = {};
  await kubeConfig.applyToHTTPSOptions(admin);
  const host = server.hostname.replace(/^\[|\]$/g, '');
  const { ca, rejectUnauthorized = true, servername = isIP(host) === 0 ? host : undefined } = admin;

  const relay = await startRelay(host, Number(server.port || 443));
  const rbac = kubeConfig.makeApiClient(RbacAuthorizationV1Api);
  const suffix = `-${randomInt(36 ** 5)
    .toString(36)
    .padStart(5, '0')}`;
  const clock = movableClock();
  const bindings: string[] = [];
  return {
    description: `the cluster at ${server.origin}`,
    kubeConfig,
    suffix,
    clock,
    kubeConfigOf: (token) => ({
      getCurrentCluster: () => ({ server: relay.server }),
      applyToHTTPSOptions: (options) => {
        // The API server's certificate names the API server, not the relay.
        const certificateIsFor = servername ?? host;
        Object.assign(options, {
          ca,
          rejectUnauthorized,
          // TLS knows names only; of an address nothing is sent (RFC 6066 section 3).
          ...(servername !== undefined && { servername }),
          checkServerIdentity: (_: string, certificate: Parameters<typeof checkServerIdentity>[1]) =>
            checkServerIdentity(certificateIsFor, certificate),
          headers: { authorization: `Bearer ${token}` },
        });
      },
    }),
    async allowReviews(namespace, serviceAccount) {
      const name = `orders-demo-reviewer${suffix}`;
      await rbac.createClusterRoleBinding({
        body: {
          metadata: { name },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:auth-delegator' },
          subjects: [{ kind: 'ServiceAccount', namespace, name: serviceAccount }],
        },
      });
      bindings.push(name);
    },
    cutOff: () => relay.cut(),
    async letAMinutePass() {
      say(
        `  (waiting ${apiServerCacheMs / 1000} s: the API server's own cache lasts 10 s, and its clock cannot be moved)`,
      );
      await sleep(apiServerCacheMs);
      clock.advance(aMinute);
    },
    async [Symbol.asyncDispose]() {
      await relay.close();
      for (const name of bindings) await rbac.deleteClusterRoleBinding({ name });
    },
  };
}

function kubeConfigOf(file: string): KubeConfig {
  const kubeConfig = new KubeConfig();
  try {
    kubeConfig.loadFromFile(file);
  } catch (error) {
    throw new Error('The kubeconfig cannot be read', { cause: error });
  }
  return kubeConfig;
}

function movableClock(): Clock & { advance(ms: number): void } {
  let advancedMs = 0;
  return {
    now: () => Date.now() + advancedMs,
    monotonic: () => performance.now() + advancedMs,
    advance(ms) {
      advancedMs += ms;
    },
  };
}
