import express from 'express';
import { createAuthenticator, k8sServiceAccountAuth, requireNamespace } from '../../../src/index.ts';
import { listening } from './listening.ts';
import { vouch } from './vouch.ts';

// A service of its own process, as a user runs it: nothing catches what it does not handle. The reviewer says of
// whoever speaks for `x-…` what the path asks for.
let release: () => void = () => {};
const held = new Promise<void>((resolve) => {
  release = resolve;
});
const authenticator = createAuthenticator({
  audiences: 'orders',
  reviewer: async ({ spec }) => {
    const { verdict } = JSON.parse(Buffer.from(spec.token.split('.')[1] ?? '', 'base64url').toString()) as {
      verdict: string;
    };
    if (verdict === 'held') await held;
    if (verdict === 'broken') throw new Error(`cannot judge ${spec.token}`);
    if (verdict === 'refused') return { status: { error: 'words-of-the-api-server' } };
    return vouch();
  },
});

const app = express();
app.post('/release', (_req, res) => {
  release();
  res.end();
});
app.get('/waiting', (_req, res) => {
  res.json(authenticator.status().reviewsInFlight);
});
app.get('/unguarded', requireNamespace('shop'), (_req, res) => {
  res.end();
});
app.use(k8sServiceAccountAuth({ authenticator }));
app.get('/orders', (req, res) => {
  res.send(req.serviceAccount?.name);
});
app.get('/billing', requireNamespace('billing'), (_req, res) => {
  res.end();
});

const server = await listening(app);
process.stdout.write(`${server.url}\n`);
process.stdin.resume().once('end', () => {
  void server[Symbol.asyncDispose]().then(() => authenticator.close());
});
