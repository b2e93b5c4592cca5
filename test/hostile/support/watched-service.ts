import { setFlagsFromString, writeHeapSnapshot } from 'node:v8';
import express from 'express';
import { SimulatedClock } from '../../../src/testing/simulated-cluster/clock.ts';
import { createAuthenticator, k8sServiceAccountAuth, requireNamespace } from '../../../src/index.ts';
import { inClusterConnection } from '../../../src/kubernetes/in-cluster-connection.ts';
import { listening } from '../../express/support/listening.ts';

// A service in a process of its own, whose memory the test looks into. Nothing here may hold a token, but where it is
// told to. Its parent tells it where the API server and the credential are.
const [directory = '', port = ''] = process.argv.slice(2);
// By default a snapshot shows the first kilobyte of a string.
setFlagsFromString('--heap-snapshot-string-limit=1000000');

const clock = new SimulatedClock();
const log = (): void => {};
const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: port };
const connection = inClusterConnection(env, clock, log, directory);
const authenticator = createAuthenticator({
  audiences: 'orders',
  clock,
  log,
  review: { timeoutMs: 800 },
  kubeConfig: {
    getCurrentCluster: () => ({ server: connection.server.href }),
    applyToHTTPSOptions: async (options) => void Object.assign(options, await connection.requestOptions()),
  },
});

const kept: unknown[] = [];
const ways: Readonly<Record<string, (token: string) => unknown>> = {
  'as it is': (token) => token,
  'as a part of a text': (token) => `The token is ${token}.`.slice(4),
  'in two halves': (token) => [token.slice(0, 300), token.slice(300)],
  'in a closure': (token) => () => token.length,
  'as the key of a Map': (token) => new Map([[token, true]]),
  'in an error': (token) => new Error(`Not accepted: ${token}`),
};

const app = express().set('env', 'test');
app.get('/public', (_req, res) => {
  res.end();
});
app.get('/kept/:way', (req, res) => {
  kept.push(ways[req.params.way]?.(req.headers.authorization?.slice('Bearer '.length) ?? ''));
  res.end();
});
app.use(k8sServiceAccountAuth({ authenticator }));
app.get('/orders', (req, res) => {
  res.json(req.serviceAccount);
});
app.get('/billing', requireNamespace('billing'), (_req, res) => {
  res.end();
});
const server = await listening(app);

const orders: Readonly<Record<string, (value: never) => unknown>> = {
  port: () => server.port,
  ways: () => Object.keys(ways),
  advance: (ms: number) => clock.advance(ms),
  reviewsInFlight: () => authenticator.status().reviewsInFlight,
  snapshot: (file: string) => writeHeapSnapshot(file),
};
process.on('message', ({ order, value }: { order: string; value: never }) => {
  process.send?.({ answer: orders[order]?.(value) });
});
process.once('disconnect', () => {
  void server[Symbol.asyncDispose]().then(() => authenticator.close());
});
process.send?.({ answer: 'listening' });
