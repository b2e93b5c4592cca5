import type { KubeConfigLike } from 'k8s-service-account-auth';
import type { Connection } from './cluster.ts';

export function kubeConfigOf({ server, ca, token }: Connection): KubeConfigLike {
  return {
    getCurrentCluster: () => ({ server }),
    applyToHTTPSOptions: (options) => {
      options.ca = ca;
      options.headers = { Authorization: `Bearer ${token}` };
    },
  };
}
