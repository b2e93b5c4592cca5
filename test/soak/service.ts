// The service of the soak, in a process of its own: what it holds is what the library holds, and Express. Speaks with
// its parent: `measure`, `status` and `close` are answered with what was asked for.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { systemClock } from '../../src/authentication/clock.ts';
import { k8sServiceAccountAuth } from '../../src/index.ts';
import { podAuthenticator } from '../faults/pod-authenticator.ts';
import { measure } from './measurement.ts';

const [port = '', directory = ''] = process.argv.slice(2);

const logged: Record<string, number> = {};
const authenticator = podAuthenticator({
  host: '127.0.0.1',
  port: Number(port),
  directory,
  timeoutMs: 3_000,
  clock: systemClock,
  log: ({ code }) => {
    logged[code] = (logged[code] ?? 0) + 1;
  },
  // So few that the caches are full after a minute: from then on nothing may grow.
  maxEntries: 1_000,
});

const app = express();
app.use(k8sServiceAccountAuth({ authenticator }));
app.get('/', (req, res) => {
  res.json({ caller: `${req.serviceAccount?.namespace}/${req.serviceAccount?.pod?.name}` });
});
const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');

async function answerTo(question: unknown): Promise<object> {
  if (question === 'measure') return await measure();
  if (question === 'status') return { ...authenticator.status(), logged };
  await authenticator.close();
  return await measure();
}

process.on('message', (question) => {
  void answerTo(question).then((answer) => {
    process.send?.(answer);
    if (question !== 'close') return;
    // Nothing else is left: the process ends by itself, or the soak fails.
    server.close();
    server.closeAllConnections();
    process.disconnect();
  });
});
process.send?.({ port: (server.address() as AddressInfo).port });
