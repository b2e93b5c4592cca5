// Counts what a cached request makes the middleware and two guards allocate.
import { createHook } from 'node:async_hooks';
import { hash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  createAuthenticator,
  k8sServiceAccountAuth,
  requireBoundPod,
  requireNamespace,
} from 'k8s-service-account-auth';
import { audience } from '../bench.ts';
import { answerParent } from '../child.ts';
import type { Connection } from './cluster.ts';
import { kubeConfigOf } from './kube-config.ts';

const calls = 20_000;

let handle: () => void;
let strings: () => void;

const answers = {
  prepare: async ({ connection, token }: { connection: Connection; token: string }): Promise<void> => {
    const cache = { maxAgeMs: 600_000 };
    const authenticator = createAuthenticator({ audiences: audience, kubeConfig: kubeConfigOf(connection), cache });
    await authenticator.authenticate(token);
    const authenticate = k8sServiceAccountAuth({ authenticator });
    const [inShop, inPod] = [requireNamespace('shop'), requireBoundPod()];
    const authorization = `Bearer ${token}`;
    // One request for all calls, so that only what the handlers make anew counts. It is read, never called.
    const req = {
      headers: { authorization },
      rawHeaders: ['Host', 'localhost:8080', 'Authorization', authorization, 'Accept', '*/*'],
    } as unknown as IncomingMessage;
    const res = {} as ServerResponse;
    let passed = 0;
    const next = (error?: unknown): void => {
      if (error !== undefined) throw error as Error;
      passed += 1;
    };
    handle = () => {
      const before = passed;
      authenticate(req, res, next);
      inShop(req, res, next);
      inPod(req, res, next);
      if (passed !== before + 3) throw new Error('A handler did not pass the request on at once');
    };
    const bytes = randomBytes(32 + token.length);
    strings = () => {
      bytes.write(authorization.slice('Bearer '.length), 32);
      if (hash('sha256', bytes, 'base64') === '') throw new Error('There is no such hash');
    };
    // Until the compilers have nothing left to do.
    for (let index = 0; index < 10 * calls; index++) {
      handle();
      strings();
    }
  },
  /** The bytes that one request allocates, and those of cutting its token out of the header and hashing it: two strings. */
  bytes: (): { readonly handlers: number; readonly strings: number } => ({
    handlers: bytesPerCall(handle),
    strings: bytesPerCall(strings),
  }),
  promises: (): number => {
    let promises = 0;
    const hook = createHook({
      init: (_id, type) => {
        if (type === 'PROMISE') promises += 1;
      },
    });
    hook.enable();
    for (let index = 0; index < calls; index++) handle();
    hook.disable();
    return promises / calls;
  },
};
export type AllocationAnswers = typeof answers;

function bytesPerCall(call: () => void): number {
  global.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (let index = 0; index < calls; index++) call();
  return (process.memoryUsage().heapUsed - before) / calls;
}

answerParent(answers);
