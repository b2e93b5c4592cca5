// What guards add to an authenticated request, on its way through Express' router.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Request, Router } from 'express';
import {
  type Authenticator,
  createAuthenticator,
  type Guard,
  k8sServiceAccountAuth,
  requireBoundPod,
  requireNamespace,
  requirePermission,
} from 'k8s-service-account-auth';
import { audience } from '../bench.ts';
import { answerParent } from '../child.ts';
import { longest, mustBeAtRest } from './at-rest.ts';
import type { Connection } from './cluster.ts';
import { kubeConfigOf } from './kube-config.ts';
import { nanosecondsPerCall } from './turn.ts';

const orders = { verb: 'get', group: 'orders.example.com', resource: 'orders', namespace: 'shop' } as const;

const routes = {
  none: [],
  namespaceAndPod: [requireNamespace('shop'), requireBoundPod()],
  fixedPermission: [requirePermission(orders)],
  computedPermission: [requirePermission((req: Request) => ({ ...orders, name: req.params['id'] }))],
} as const satisfies Readonly<Record<string, readonly Guard[]>>;
export type GuardedRoute = keyof typeof routes;

let authenticator: Authenticator | undefined;
const handlers: Partial<Record<GuardedRoute, () => void>> = {};
let passed = 0;
let accessReviews = 0;

function requestOf(token: string): IncomingMessage {
  const authorization = `Bearer ${token}`;
  // It is read, never called.
  return {
    method: 'GET',
    url: '/orders/7',
    headers: { authorization },
    rawHeaders: ['Host', 'localhost:8080', 'Authorization', authorization, 'Accept', '*/*'],
  } as unknown as IncomingMessage;
}

const answers = {
  prepare: async ({ connection, token }: { connection: Connection; token: string }): Promise<void> => {
    authenticator = createAuthenticator({
      audiences: audience,
      kubeConfig: kubeConfigOf(connection),
      cache: longest,
      decisions: { maxAgeMs: longest.maxAgeMs },
    });
    authenticator.on('accessReviewed', () => (accessReviews += 1));
    const identity = await authenticator.authenticate(token);
    for (const attributes of [orders, { ...orders, name: '7' }]) {
      if (!(await authenticator.allowed(identity, attributes))) throw new Error('RBAC does not allow what it should');
    }
    accessReviews = 0;
    const res = {} as ServerResponse;
    const failed = (error?: unknown): void => {
      throw error instanceof Error ? error : new Error('No route took the request');
    };
    for (const [name, guards] of Object.entries(routes)) {
      const router = Router();
      router.use(k8sServiceAccountAuth({ authenticator }));
      router.get('/orders/:id', ...guards, () => void (passed += 1));
      const req = requestOf(token);
      handlers[name as GuardedRoute] = () => router(req as Request, res as never, failed);
    }
  },
  nanoseconds: ({ route, turnMs }: { route: GuardedRoute; turnMs: number }): number => {
    const handle = handlers[route] as () => void;
    const nanoseconds = nanosecondsPerCall([undefined], turnMs, () => {
      const before = passed;
      handle();
      if (passed === before) throw new Error('A guard did not pass the request on at once');
    });
    mustBeAtRest(authenticator);
    if (accessReviews > 0) throw new Error('A decision was not remembered');
    return nanoseconds;
  },
};
export type GuardsAnswers = typeof answers;

answerParent(answers);
