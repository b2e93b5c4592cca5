import express from 'express';
import { requireBoundPod, requireNamespace } from 'k8s-service-account-auth';

/** In production: `ordersService(k8sServiceAccountAuth({ audiences: 'orders' })).listen(8080)`. */
export function ordersService(authentication) {
  const app = express();
  app.use(authentication);
  app.get('/orders/:id', requireNamespace('shop'), requireBoundPod(), (req, res) => {
    const { name, pod } = req.serviceAccount;
    res.json({ id: req.params.id, caller: name, pod: pod.name });
  });
  return app;
}
