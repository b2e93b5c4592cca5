import express, { type Express, type RequestHandler } from 'express';
import type { AuthenticatorLike, SharedAuthenticatorOptions } from '../../../src/index.ts';
import { k8sServiceAccountAuth } from '../../../src/index.ts';

/** An app behind the middleware that answers with whom it takes the caller for, and with 200 whatever the route. */
export function identityApp(
  options: SharedAuthenticatorOptions<AuthenticatorLike>,
  ...behind: readonly RequestHandler[]
): Express {
  const app = express().set('env', 'test');
  app.use(k8sServiceAccountAuth(options), ...behind);
  app.use((req, res) => {
    res.json({ caller: req.serviceAccount?.username ?? null });
  });
  return app;
}
