import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import {
  type Guard,
  k8sServiceAccountAuth,
  type Mode,
  type ServiceAccountAuthError,
  type ServiceAccountIdentity,
} from '../../../src/index.ts';

export interface GuardedAppOptions {
  /** Default: there is none. */
  readonly identity?: ServiceAccountIdentity | undefined;
  readonly mode?: Mode;
  readonly emit?: (event: string, payload: unknown) => void;
}

/**
 * An app with `GET /:value` behind the guards, for callers with that identity. It answers failures with their name, code
 * and message.
 */
export function guardedApp(guards: readonly Guard[], { identity, mode = 'enforce', emit }: GuardedAppOptions): Express {
  const app = express().set('env', 'test');
  const authenticator = {
    authenticate: async () => identity ?? Promise.reject(new Error('Nobody is known')),
    ...(emit && { emit }),
  };
  const getToken = (): string | undefined => (identity === undefined ? undefined : 'token');
  app.use(k8sServiceAccountAuth({ authenticator, mode, getToken, realm: 'orders' }));
  app.get('/:value', ...(guards as readonly unknown[] as RequestHandler[]), (_req: Request, res: Response) => {
    res.send('allowed');
  });
  app.use(answerWithError);
  return app;
}

// Express knows error handlers by their four parameters.
export const answerWithError: ErrorRequestHandler = (error: Partial<ServiceAccountAuthError>, _req, res, _next) => {
  const { name, code, message, status = 500, headers = {} } = error;
  res.status(status).set(headers).json({ name, code, message });
};
