import express from 'express';
import {
  allOf,
  createAuthenticator,
  k8sServiceAccountAuth,
  requireBoundPod,
  requireNamespace,
  requireNode,
  ServiceAccountAuthError,
  type ServiceAccountIdentity,
  serviceAccountOf,
} from 'k8s-service-account-auth';
import { bearerToken } from 'k8s-service-account-auth/authenticator';
import { fakeAuthenticator, fakeIdentity, startSimulatedCluster } from 'k8s-service-account-auth/testing';

export const app = express();
app.use(k8sServiceAccountAuth({ audiences: ['orders'], cache: { maxAgeMs: 30_000 } }));
app.get('/orders/:id', requireNamespace('shop'), requireBoundPod(), (req, res) => {
  const id: string = req.params.id;
  const pod: string = req.serviceAccount.pod.name;
  // @ts-expect-error: no guard proves a Node
  void req.serviceAccount.node.name;
  res.json({ id, pod, caller: req.serviceAccount.name });
});
app.route('/nodes/:node').get(allOf(requireBoundPod(), requireNode('a')), (req, res) => {
  res.json([req.params.node, req.serviceAccount.node.name]);
});
app.get('/open', (req, res) => {
  const identity: ServiceAccountIdentity | undefined = req.serviceAccount;
  res.json({ caller: identity?.name, again: serviceAccountOf(req).name });
});
app.use((error: unknown, _req: express.Request, res: express.Response, next: express.NextFunction) => {
  if (!(error instanceof ServiceAccountAuthError)) return next(error);
  res.status(error.status).set(error.headers).json({ error: error.message });
});

export const tested = k8sServiceAccountAuth({
  authenticator: fakeAuthenticator({ 'token-a': fakeIdentity('shop/web', { pod: 'web-1' }) }),
});

export async function withoutExpress(authorization: string | undefined): Promise<string> {
  const cluster = await startSimulatedCluster();
  const authenticator = createAuthenticator({ kubeConfig: cluster.kubeConfig });
  const identity = await authenticator.authenticate(bearerToken(authorization));
  return identity.boundTo?.kind ?? identity.namespace;
}
