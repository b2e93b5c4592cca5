import { STATUS_CODES } from 'node:http';
import express, { type ErrorRequestHandler, type Express } from 'express';
import {
  type Authenticator,
  k8sServiceAccountAuth,
  requireBoundPod,
  requireNamespace,
  requireNode,
  requirePermission,
  requireServiceAccount,
  ServiceAccountAuthError,
} from 'k8s-service-account-auth';

export interface OrdersServiceOptions {
  readonly authenticator: Authenticator;
  /** The namespace whose Pods may ask for orders. */
  readonly shopNamespace: string;
  /** Tells those who listen for updates. */
  readonly publish?: (update: object) => void;
}

export function ordersService({ authenticator, shopNamespace, publish = () => {} }: OrdersServiceOptions): Express {
  const app = express();
  app.disable('x-powered-by');

  app.get('/healthz', (_req, res) => {
    res.json({ alive: true });
  });

  // Ready even while the API server is away: callers in the cache are served, and taking every replica out of its
  // Service would turn some 503 into an outage for all.
  app.get('/readyz', (_req, res) => {
    const status = authenticator.status();
    res.status(status.state === 'open' ? 200 : 503).json(status);
  });

  // For everyone, known or not; but who shows a bad token is told so.
  const identifyIfToken = k8sServiceAccountAuth({ authenticator, mode: 'optional' });
  app.get('/catalogue', identifyIfToken, (req, res) => {
    res.json({ items: ['tea', 'cups'], caller: req.serviceAccount?.name ?? 'anonymous' });
  });

  // From here on, nobody without an identity.
  app.use(k8sServiceAccountAuth({ authenticator }));

  app.get('/orders/:id', requireNamespace(shopNamespace), requireBoundPod(), (req, res) => {
    const { namespace, name, pod } = req.serviceAccount;
    res.json({ id: req.params.id, caller: `${namespace}/${name}`, pod: pod.name });
  });

  // Whom the cluster's operators let, by Roles (manifests/permissions.yaml).
  app.delete(
    '/orders/:id',
    requirePermission((req) => ({
      verb: 'delete',
      group: 'orders.example.com',
      resource: 'orders',
      namespace: shopNamespace,
      name: req.params['id'],
    })),
    (req, res) => {
      const { namespace, name } = req.serviceAccount;
      res.json({ cancelled: req.params['id'], caller: `${namespace}/${name}` });
    },
  );

  // For agents that run on every Node, each asking for its own.
  app.get(
    '/nodes/:node/orders',
    requireNode((req) => req.params['node']),
    (req, res) => {
      const { namespace, name, node } = req.serviceAccount;
      res.json({ orders: [], caller: `${namespace}/${name}`, node: node.name });
    },
  );

  app.post('/refunds', requireServiceAccount(`${shopNamespace}/web`), (req, res) => {
    const { namespace, name, pod } = req.serviceAccount;
    publish({ refundedBy: pod?.name });
    res.status(201).json({ refunded: true, caller: `${namespace}/${name}`, pod: pod?.name });
  });

  app.use(asJson);
  return app;
}

/** Without it Express' own handler answers with the same status and headers, as HTML. */
const asJson: ErrorRequestHandler = (error, _req, res, next) => {
  if (!(error instanceof ServiceAccountAuthError)) return next(error);
  const { status, headers, expose, message } = error;
  res
    .status(status)
    .set(headers)
    .json({ error: expose ? message : STATUS_CODES[status] });
};
