// A simulated cluster in a process of its own, and beside it an API server that costs next to nothing.
import { randomUUID } from 'node:crypto';
import { startSimulatedCluster } from 'k8s-service-account-auth/testing';
import { audience } from '../bench.ts';
import { answerParent } from '../child.ts';
import { startQuickApiServer } from './quick-api-server.ts';

/** How to reach an API server, and as whom. */
export interface Connection {
  readonly server: string;
  readonly ca: string;
  readonly token: string;
  readonly kubeConfigYaml: string;
}

const podCount = 100;

const cluster = await startSimulatedCluster();
const reviewer = await cluster.createServiceAccount('shop/orders');
await cluster.allow('shop/orders', { verb: 'create', group: 'authentication.k8s.io', resource: 'tokenreviews' });
// What kube-rbac-proxy asks for besides.
await cluster.allow('shop/orders', { verb: 'create', group: 'authorization.k8s.io', resource: 'subjectaccessreviews' });
await cluster.allow('shop/web', { verb: 'get', path: '/orders/*' });
await cluster.allow('shop/web', { verb: 'get', group: 'orders.example.com', resource: 'orders' });
const reviewerToken = await reviewer.token();
const webPod = { serviceAccount: 'web', node: 'node-a' };
const podTokens: string[] = [];
for (let index = 0; index < podCount; index++) {
  const pod = await cluster.createPod(`shop/web-${index}`, webPod);
  podTokens.push(await pod.token({ audiences: audience }));
}

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

/** As the kubelet has them issued for each Pod in turn; each with a credential ID of its own, or they would be equal. */
function issue(count: number, changes: (claims: Record<string, unknown>) => object = () => ({})): string[] {
  return Array.from({ length: count }, (_, index) => {
    const claims = claimsOf(podTokens[index % podCount] ?? '');
    return cluster.signToken({ ...claims, jti: randomUUID(), ...changes(claims) });
  });
}

const answers = {
  connection: (): Connection => ({
    server: cluster.server,
    ca: cluster.ca,
    token: reviewerToken,
    kubeConfigYaml: cluster.kubeConfigYaml({ token: reviewerToken }),
  }),
  tokens: (count: number): string[] => issue(count),
  /** Of a Pod that is gone, and issued a while ago, so that no replica of the API server could be late to know it. */
  refusedToken: async (): Promise<string> => {
    const pod = await cluster.createPod(`shop/gone-${randomUUID()}`, webPod);
    const claims = claimsOf(await pod.token({ audiences: audience }));
    await pod.delete();
    const issuedAt = Number(claims['iat']) - 600;
    return cluster.signToken({ ...claims, iat: issuedAt, nbf: issuedAt });
  },
  keySet: async (): Promise<string> => JSON.stringify((await cluster.request('GET', '/openid/v1/jwks')).body),
  tokenReviews: (): number => cluster.requests.tokenreviews,
  /** Makes the next TokenReview take that long. */
  delayNextReview: (delayMs: number): void => void cluster.fault('tokenreviews', { delayMs }, { times: 1 }),
  quickApiServer: async (): Promise<Connection> => startQuickApiServer(reviewerToken, await answers.keySet()),
};
export type ClusterAnswers = typeof answers;

answerParent(answers);
