import { KubeConfig } from '@kubernetes/client-node';
import { startSimulatedCluster } from 'k8s-service-account-auth/testing';
import { aMinute, type DemoCluster } from './demo-cluster.ts';

export async function simulatedDemoCluster(): Promise<DemoCluster> {
  const cluster = await startSimulatedCluster();
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromClusterAndUser(
    {
      name: 'simulated',
      server: cluster.server,
      caData: Buffer.from(cluster.ca).toString('base64'),
      skipTLSVerify: false,
    },
    { name: 'admin', token: cluster.createUser('admin', { groups: ['system:masters'] }) },
  );
  return {
    description: `a simulated cluster at ${cluster.server}`,
    kubeConfig,
    suffix: '',
    clock: cluster.clock,
    kubeConfigOf: (token) => cluster.kubeConfigOf(token),
    allowReviews: (namespace, serviceAccount) =>
      cluster.allow(`${namespace}/${serviceAccount}`, {
        verb: 'create',
        group: 'authentication.k8s.io',
        resource: 'tokenreviews',
      }),
    cutOff() {
      const fault = cluster.fault('tokenreviews', { reset: 'before' });
      return () => fault[Symbol.dispose]();
    },
    letAMinutePass: async () => cluster.clock.advance(aMinute),
    signToken: (claims) => cluster.signToken(claims),
    reviewsReceived: () => cluster.requests.tokenreviews,
    [Symbol.asyncDispose]: () => cluster.close(),
  };
}
