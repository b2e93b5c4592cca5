// The service that is flooded: an Express app behind the middleware, in a process of its own.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express, { type NextFunction, type Request, type Response } from 'express';
import { k8sServiceAccountAuth, ServiceAccountAuthError } from '../../src/index.ts';
import { ClusterClient } from '../../src/testing/cluster-client/cluster-client.ts';
import { answerQuestions } from './child.ts';

export type ServiceQuestion =
  | { readonly start: { readonly server: string; readonly ca: string; readonly token: string } }
  | { readonly report: true };

export interface ServiceReport {
  /** TokenReviews so far that a request waited for, by how they ended. */
  readonly reviews: Readonly<Record<'authenticated' | 'rejected' | 'unavailable', number>>;
  /** After a garbage collection. */
  readonly heapBytes: number;
  readonly rssBytes: number;
  readonly cpuMs: number;
}

const reviews = { authenticated: 0, rejected: 0, unavailable: 0 };

async function start(access: { server: string; ca: string; token: string }): Promise<{ port: number }> {
  const { kubeConfig } = new ClusterClient(access);
  // As small as is full before the heap is first looked at: what honest callers add is no leak.
  const cache = { maxEntries: 500 };
  const authentication = k8sServiceAccountAuth({ kubeConfig, audiences: 'orders', cache, log: false });
  authentication.authenticator.on('reviewed', ({ outcome, background }) => {
    if (!background) reviews[outcome] += 1;
  });
  await authentication.authenticator.ready();
  const app = express();
  app.use(authentication);
  app.get('/', (req, res) => {
    res.json({ caller: req.serviceAccount?.username });
  });
  app.use((error: unknown, _req: Request, res: Response, next: NextFunction) => {
    if (!(error instanceof ServiceAccountAuthError)) return next(error);
    res.status(error.status).set(error.headers).json({ code: error.code });
  });
  const server = app.listen(0, '0.0.0.0');
  // Longer than any phase, so that no connection ends under a request.
  server.keepAliveTimeout = 600_000;
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port };
}

function report(): ServiceReport {
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return { reviews, heapBytes: heapUsed, rssBytes: rss, cpuMs: (user + system) / 1000 };
}

answerQuestions(async (question: ServiceQuestion) => ('start' in question ? start(question.start) : report()));
