/** The issuer, and the API server's own audience, of the clusters that are started for the tests, and of most others. */
export const KUBERNETES_ISSUER = 'https://kubernetes.default.svc.cluster.local';
