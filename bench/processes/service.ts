// A service as its users write it, with one of the ways to know its callers in front of the route, or with none.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { hash } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { auth } from 'express-oauth2-jwt-bearer';
import {
  type Authenticator,
  type AuthenticatorOptions,
  k8sServiceAccountAuth,
  requireBoundPod,
  requireNamespace,
  ServiceAccountAuthError,
} from 'k8s-service-account-auth';
import { audience } from '../bench.ts';
import { answerParent } from '../child.ts';
import { longest } from './at-rest.ts';
import type { Connection } from './cluster.ts';
import { kubeConfigOf } from './kube-config.ts';

export type Kind = 'bare' | 'hash' | 'library' | 'jwt-bearer';

export interface ServiceOptions {
  readonly kind: Kind;
  readonly connection: Connection;
  /** What the cluster publishes, as JSON. */
  readonly keySet: string;
  readonly review?: AuthenticatorOptions['review'];
}

let authenticator: Authenticator | undefined;
let reviewsEnded = 0;
let pending = 0;
let peakPending = 0;

async function appOf({ kind, connection, keySet, review = {} }: ServiceOptions): Promise<Express> {
  const app = express();
  if (kind === 'library') {
    const authenticate = k8sServiceAccountAuth({
      audiences: audience,
      kubeConfig: kubeConfigOf(connection),
      cache: longest,
      review,
    });
    authenticator = authenticate.authenticator;
    authenticator.on('reviewed', () => (reviewsEnded += 1));
    app.use(authenticate);
    app.get('/orders/:id', requireNamespace('shop'), requireBoundPod(), (req, res) => {
      res.json({ id: req.params.id });
    });
    app.use(asJson);
    return app;
  }
  if (kind === 'hash') app.use(hashOnly);
  if (kind === 'jwt-bearer') app.use(auth(await verification(keySet)));
  app.get('/orders/:id', (req, res) => {
    res.json({ id: req.params.id });
  });
  return app;
}

const hashOnly: RequestHandler = (req, _res, next) => {
  const token = req.headers.authorization?.slice('Bearer '.length) ?? '';
  if (hash('sha256', token, 'base64') === '') throw new Error('There is no such hash');
  next();
};

/** The peer verifies each token by itself, with the keys that the cluster publishes. */
async function verification(keySet: string): Promise<Parameters<typeof auth>[0]> {
  const keys = createServer((_req, response) => response.setHeader('content-type', 'application/json').end(keySet));
  keys.listen(0, '127.0.0.1');
  await once(keys, 'listening');
  const issuer = 'https://kubernetes.default.svc.cluster.local';
  return {
    audience,
    issuer,
    jwksUri: `http://127.0.0.1:${(keys.address() as AddressInfo).port}/`,
    tokenSigningAlg: 'RS256',
  };
}

const asJson: ErrorRequestHandler = (error, _req, response, next) => {
  if (!(error instanceof ServiceAccountAuthError)) return next(error);
  response.status(error.status).set(error.headers).json({ error: error.message });
};

const answers = {
  /** The URL of its route. */
  start: async (options: ServiceOptions): Promise<string> => {
    const app = await appOf(options);
    const server = createServer((request, response) => {
      pending += 1;
      peakPending = Math.max(peakPending, pending);
      response.once('close', () => (pending -= 1));
      app(request, response);
    });
    server.keepAliveTimeout = 600_000;
    server.listen(0, '127.0.0.1', 4_096);
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/orders/7`;
  },
  /** The CPU time used so far, in microseconds. */
  cpu: (): number => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  /** How many reviews the library has begun so far. */
  reviewsBegun: (): number => reviewsEnded + (authenticator?.status().reviewsInFlight ?? 0),
  /** The most requests that ever waited for their response at once. */
  peakPending: (): number => peakPending,
};
export type ServiceAnswers = typeof answers;

answerParent(answers);
