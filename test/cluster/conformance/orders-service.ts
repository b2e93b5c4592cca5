import { once } from 'node:events';

import express from 'express';

import { type AuthenticatorOptions, k8sServiceAccountAuth } from '../../../src/index.ts';

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
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  const { port } = address;
  return {
    port,
    async statusFor(token) {
      const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { authorization: `Bearer ${token}` } });
      await response.arrayBuffer();
      return response.status;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await auth.authenticator.close();
    },
  };
}
