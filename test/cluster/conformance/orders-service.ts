import express from 'express';

import { type AuthenticatorOptions, k8sServiceAccountAuth } from '../../../src/index.ts';
import { listening } from '../../express/support/listening.ts';

export interface OrdersService extends AsyncDisposable {
  readonly port: number;
  /** The status that a caller with that token gets. */
  statusFor(token: string): Promise<number>;
}

/** An Express app as a user writes it: it tells callers who they are. */
export async function startOrdersService(options: AuthenticatorOptions): Promise<OrdersService> {
  const auth = k8sServiceAccountAuth(options);
  const app = express();
  app.use(auth);
  app.get('/', (req, res) => {
    res.json({ caller: `${req.serviceAccount?.namespace}/${req.serviceAccount?.name}` });
  });
  const server = await listening(app);
  const { port } = server;
  return {
    port,
    async statusFor(token) {
      const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { authorization: `Bearer ${token}` } });
      await response.arrayBuffer();
      return response.status;
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await auth.authenticator.close();
    },
  };
}
