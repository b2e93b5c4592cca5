import type { StartedCluster } from './cluster-info.ts';
import type { RealCluster } from './kube-apiserver.ts';

/** A running cluster, told so that another process can use it. */
export function startedCluster(cluster: RealCluster, kubeconfig: string): StartedCluster {
  return {
    kind: 'started',
    kubeconfig,
    version: cluster.version,
    server: cluster.server,
    ca: cluster.ca,
    adminToken: cluster.adminToken,
    janeToken: cluster.janeToken,
    issuer: cluster.issuer,
    secondIssuer: cluster.secondIssuer,
    apiAudience: cluster.apiAudience,
    signingKey: String(cluster.signingKey.export({ type: 'pkcs8', format: 'pem' })),
    signingKeyId: cluster.signingKeyId,
    secondSigningKey: String(cluster.secondSigningKey.export({ type: 'pkcs8', format: 'pem' })),
    secondSigningKeyId: cluster.secondSigningKeyId,
  };
}
