import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import express, { type ErrorRequestHandler, type Express } from 'express';
import request from 'supertest';
import {
  type AuthenticatorOptions,
  k8sServiceAccountAuth,
  type LogEntry,
  requireBoundPod,
  requireNamespace,
  ServiceAccountAuthError,
} from '../../src/index.ts';
import { type SimulatedCluster, startSimulatedCluster } from '../../src/testing/simulated-cluster/simulated-cluster.ts';
import { leaks } from './support/leaks.ts';

interface Outcome {
  readonly status: number;
  readonly code: string;
  readonly challenge?: string;
  readonly retryAfter?: string;
  readonly message: string;
}
interface Situation {
  readonly name: string;
  readonly outcome: Outcome;
  /** What the request carries. */
  readonly authorization: () => string | Promise<string> | undefined;
  /** What goes wrong with the API server meanwhile. */
  readonly fault?: Parameters<SimulatedCluster['fault']>[1];
  readonly options?: () => AuthenticatorOptions;
  /** Words of the API server, or of anything else behind the service. */
  readonly secrets?: readonly string[];
}

const described = (error: string, description: string): string =>
  `Bearer realm="orders", error="${error}", error_description="${description}"`;
const anonymous: Outcome = {
  status: 401,
  code: 'no_credentials',
  challenge: 'Bearer realm="orders"',
  message: 'A bearer token is required',
};
const malformed = (code: string): Outcome => ({
  status: 400,
  code,
  challenge: described('invalid_request', 'The Authorization header is malformed'),
  message: 'The Authorization header is malformed',
});
const rejected = (code: string): Outcome => ({
  status: 401,
  code,
  challenge: described('invalid_token', 'The bearer token is not accepted'),
  message: 'The bearer token is not accepted',
});
const unavailable = (code: string, retryAfter = '1'): Outcome => ({
  status: 503,
  code,
  retryAfter,
  message: 'The caller could not be verified at the moment',
});

let cluster: SimulatedCluster;
let goodToken: string;
let outsiderToken: string;
let deletedPodToken: string;
beforeAll(async () => {
  cluster = await startSimulatedCluster();
  const web = await cluster.createPod('shop/web-1', { serviceAccount: 'web' });
  goodToken = await web.token({ audiences: 'orders' });
  const outsider = await cluster.createPod('billing/api-1', { serviceAccount: 'api' });
  outsiderToken = await outsider.token({ audiences: 'orders' });
  const deleted = await cluster.createPod('shop/web-2', { serviceAccount: 'web' });
  deletedPodToken = await deleted.token({ audiences: 'orders' });
  await deleted.delete();
});
afterAll(() => cluster.close());
afterEach(() => {
  jest.restoreAllMocks();
});

const bearer = (token: string): string => `Bearer ${token}`;
const good = (): string => bearer(goodToken);
const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
const signed = (changes: Record<string, unknown>, options?: Parameters<SimulatedCluster['signToken']>[1]): string =>
  bearer(cluster.signToken({ ...claimsOf(goodToken), ...changes }, options));
const seconds = (): number => Math.floor(cluster.clock.now() / 1000);
const serverWords = 'words-of-the-api-server';

const situations: readonly Situation[] = [
  { name: 'no credentials', outcome: anonymous, authorization: () => undefined },
  {
    name: 'another scheme',
    outcome: anonymous,
    authorization: () => 'Basic c2VjcmV0OnNlY3JldA==',
    secrets: ['c2VjcmV0OnNlY3JldA=='],
  },
  { name: 'a malformed header', outcome: malformed('malformed_credentials'), authorization: () => 'Bearer bad%token' },
  {
    name: 'several credentials',
    outcome: malformed('several_credentials'),
    authorization: () => `${good()}, ${good()}`,
  },
  { name: 'not a JWT', outcome: rejected('token_malformed'), authorization: () => 'Bearer opaque-secret-token' },
  {
    name: 'a token too long',
    outcome: rejected('token_too_long'),
    authorization: () => bearer('abcdefgh'.repeat(1_100)),
  },
  {
    name: 'an expired token',
    outcome: rejected('token_expired'),
    authorization: () => signed({ exp: seconds() - 100 }),
  },
  {
    name: 'a token not yet valid',
    outcome: rejected('token_not_yet_valid'),
    authorization: () => signed({ nbf: seconds() + 600 }),
  },
  {
    name: 'the wrong audience',
    outcome: rejected('wrong_audience'),
    authorization: () => signed({ aud: ['billing-audience'] }),
    secrets: ['billing-audience'],
  },
  { name: 'a forged token', outcome: rejected('token_forged'), authorization: () => signed({}, { key: 'foreign' }) },
  {
    name: 'a token refused by the review',
    outcome: rejected('token_refused'),
    authorization: () => signed({ iss: 'https://elsewhere.example' }),
    secrets: ['elsewhere'],
  },
  { name: 'a Pod that is gone', outcome: rejected('token_refused'), authorization: () => bearer(deletedPodToken) },
  {
    name: 'somebody who is not a ServiceAccount',
    outcome: rejected('not_a_service_account'),
    authorization: good,
    options: () => ({
      reviewer: async () => ({
        status: { authenticated: true, user: { username: 'secret-admin' }, audiences: ['orders'] },
      }),
    }),
    secrets: ['secret-admin'],
  },
  {
    name: 'claims and review that disagree',
    outcome: rejected('claims_mismatch'),
    authorization: good,
    options: () => ({
      reviewer: async () => ({
        status: {
          authenticated: true,
          user: { username: 'system:serviceaccount:shop:secret-other' },
          audiences: ['orders'],
        },
      }),
    }),
    secrets: ['secret-other'],
  },
  {
    name: 'an API server that resets the connection',
    outcome: unavailable('api_server_unreachable'),
    authorization: good,
    fault: { reset: 'before' },
  },
  {
    name: 'an API server that does not answer',
    outcome: unavailable('api_server_timeout'),
    authorization: good,
    fault: { hang: true },
    options: () => ({ kubeConfig: cluster.kubeConfig, review: { timeoutMs: 300 } }),
  },
  {
    name: 'an overloaded API server that says when to come back',
    outcome: unavailable('api_server_overloaded', '7'),
    authorization: good,
    fault: { status: 429, headers: { 'Retry-After': '7' } },
  },
  {
    name: 'an API server in trouble',
    outcome: unavailable('api_server_overloaded'),
    authorization: good,
    fault: { status: 500, body: serverWords },
  },
  {
    name: 'something that is no API server',
    outcome: unavailable('api_server_error'),
    authorization: good,
    fault: { status: 404, body: serverWords },
  },
  {
    name: 'an API server that answers HTML',
    outcome: unavailable('answer_invalid'),
    authorization: good,
    fault: { body: `<html>${serverWords}</html>`, contentType: 'text/html' },
  },
  {
    name: 'an API server that answers another object',
    outcome: unavailable('answer_invalid'),
    authorization: good,
    fault: { body: JSON.stringify({ status: serverWords }) },
  },
  {
    name: 'our own credential refused',
    outcome: unavailable('reviewer_unauthenticated'),
    authorization: good,
    options: () => ({ kubeConfig: cluster.kubeConfigOf('secret-credential') }),
    secrets: ['secret-credential', 'Unauthorized to'],
  },
  {
    name: 'our own rights missing',
    outcome: unavailable('reviewer_forbidden'),
    authorization: good,
    options: () => ({ kubeConfig: cluster.kubeConfigOf(cluster.createUser('secret-reviewer')) }),
    secrets: ['secret-reviewer', 'tokenreviews', 'cannot create'],
  },
  {
    name: 'a reviewer that throws the token',
    outcome: unavailable('reviewer_failed'),
    authorization: good,
    options: () => ({ reviewer: async ({ spec }) => Promise.reject(new Error(`${serverWords} ${spec.token}`)) }),
  },
  {
    name: 'a configuration that is wrong',
    outcome: unavailable('configuration_invalid'),
    authorization: good,
    options: () => ({ kubeConfig: { getCurrentCluster: () => null, applyToHTTPSOptions: async () => {} } }),
  },
  {
    name: 'a guard that refuses',
    outcome: {
      status: 403,
      code: 'guard_refused',
      challenge: described('insufficient_scope', 'The calling ServiceAccount may not do this'),
      message: 'The calling ServiceAccount may not do this',
    },
    authorization: () => bearer(outsiderToken),
    secrets: ['billing', 'shop'],
  },
];

type Rendering = 'development' | 'production' | 'test' | 'a handler of the user';
const phrase: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

const usersHandler: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  if (!(error instanceof ServiceAccountAuthError)) return next(error);
  const { status, headers, code, message, expose } = error;
  res
    .status(status)
    .set(headers)
    .json({ code, message: expose ? message : 'not for you' });
};

function guardedRoute(app: Express, rendering: Rendering): Express {
  app.set('env', rendering);
  app.get('/orders', requireNamespace('shop'), requireBoundPod(), (req, res) => {
    res.send(req.serviceAccount.pod.name);
  });
  return rendering === 'a handler of the user' ? app.use(usersHandler) : app;
}

describe.each<Rendering>(['development', 'production', 'test', 'a handler of the user'])(
  'rendered by %s',
  (rendering) => {
    test.each(situations)(
      '$name: $outcome.status $outcome.code, and nothing that the caller should not know',
      async ({ outcome, authorization, fault, options, secrets = [] }) => {
        const stderr = jest.spyOn(console, 'error').mockImplementation(() => {});
        const logged: LogEntry[] = [];
        const common: AuthenticatorOptions = {
          audiences: 'orders',
          clock: cluster.clock,
          log: (entry) => logged.push(entry),
        };
        const middleware = k8sServiceAccountAuth({
          realm: 'orders',
          ...common,
          ...(options?.() ?? { kubeConfig: cluster.kubeConfig }),
        });
        await using authenticator = middleware.authenticator;
        const events: unknown[] = [];
        for (const event of ['rejected', 'unavailable', 'refused'] as const)
          authenticator.on(event, (payload) => events.push(payload));
        using active = fault && cluster.fault('tokenreviews', fault);
        const header = await authorization();
        const call = request(guardedRoute(express().use(middleware), rendering)).get('/orders');

        const { status, headers, text } = await (header === undefined ? call : call.set('Authorization', header));
        await new Promise(setImmediate);

        expect(status).toBe(outcome.status);
        expect(headers['www-authenticate']).toBe(outcome.challenge);
        expect(headers['retry-after']).toBe(outcome.retryAfter);
        if (rendering === 'a handler of the user') {
          expect(JSON.parse(text)).toEqual({
            code: outcome.code,
            message: status < 500 ? outcome.message : 'not for you',
          });
        } else {
          const body = rendering === 'production' ? phrase[status] : `ServiceAccountAuthError: ${outcome.message}`;
          expect(/<pre>(.*)<\/pre>/s.exec(text)?.[1]).toBe(body);
        }
        const credentials = header?.split(/,? *Bearer /).filter(Boolean) ?? [];
        const allSecrets = [...credentials, ...secrets, serverWords, new URL(cluster.server).port];
        const printed = stderr.mock.calls.map(([error]) => inspect(error, { depth: 10, showHidden: true })).join('\n');
        expect(leaks(`${JSON.stringify(headers)}\n${text}`, allSecrets)).toEqual([]);
        expect(leaks(printed, allSecrets)).toEqual([]);
        expect(stderr).toHaveBeenCalledTimes(rendering === 'test' || rendering === 'a handler of the user' ? 0 : 1);
        // The operator may know what went wrong, but no token either.
        expect(leaks(JSON.stringify([logged, events]), credentials)).toEqual([]);
        expect(events).toHaveLength(1);
        expect(active?.hits).not.toBe(0);
        // Who cannot review cannot fetch keys either, which is told apart.
        const told = logged.map(({ code }) => code).filter((code) => code !== 'keys_unavailable');
        expect(told).toEqual(status === 503 ? [outcome.code] : []);
      },
    );

    test('a guard without the middleware is 500 without a challenge', async () => {
      const stderr = jest.spyOn(console, 'error').mockImplementation(() => {});
      const { status, headers, text } = await request(guardedRoute(express(), rendering))
        .get('/orders')
        .set('Authorization', good());
      await new Promise(setImmediate);

      expect(status).toBe(500);
      expect(headers).not.toHaveProperty('www-authenticate');
      expect(headers).not.toHaveProperty('retry-after');
      expect(leaks(text, [goodToken])).toEqual([]);
      expect(
        leaks(stderr.mock.calls.map(([error]) => inspect(error, { depth: 10, showHidden: true })).join('\n'), [
          goodToken,
        ]),
      ).toEqual([]);
    });

    test('a good token gets the route', async () => {
      const middleware = k8sServiceAccountAuth({
        audiences: 'orders',
        kubeConfig: cluster.kubeConfig,
        clock: cluster.clock,
      });
      await using authenticator = middleware.authenticator;

      const { status, text } = await request(guardedRoute(express().use(middleware), rendering))
        .get('/orders')
        .set('Authorization', good());

      expect([status, text]).toEqual([200, 'web-1']);
      expect(authenticator.status().cachedIdentities).toBe(1);
    });
  },
);
