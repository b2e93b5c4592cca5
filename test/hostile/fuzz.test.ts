import { generateKeyPairSync } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { AuthenticatorEvent } from '../../src/authentication/events.ts';
import { Unavailability } from '../../src/authentication/reviewer.ts';
import { composeAuthenticator } from '../../src/create-authenticator.ts';
import { k8sServiceAccountAuth, ServiceAccountAuthError, type ServiceAccountIdentity } from '../../src/index.ts';
import type { Answer, ApiServer } from '../../src/kubernetes/api-server.ts';
import { apiServerReview } from '../../src/kubernetes/api-server-review.ts';
import { PublishedKeys } from '../../src/kubernetes/published-keys.ts';
import { tokenReviewRequest } from '../../src/kubernetes/token-review.ts';
import { signToken } from '../../src/testing/simulated-cluster/sign-token.ts';
import { jsonWebKeySet, signingKey } from '../../src/testing/simulated-cluster/signing-key.ts';
import { identityApp } from '../express/support/identity-app.ts';
import { listening } from '../express/support/listening.ts';
import { rawRequest, statusesOf } from '../express/support/raw-request.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { audience, base64url } from '../support/tokens.ts';
import { authorizationHeaders, mutatedJson, mutatedTokens } from './support/mutations.ts';
import { type Row, rowOf, tokenIn } from './support/oracle.ts';
import { recordedFor } from './support/recorded.ts';

/** A few in `npm test`, many in `npm run test:fuzz`. */
const isLong = process.env['FUZZ'] === 'long';
const runs = (few: number, many: number): { numRuns: number } => ({ numRuns: isLong ? many : few });
const patienceMs = isLong ? 7_200_000 : 30_000;

const clock = new FakeClock();
const now = clock.now() / 1000;
const recordings = recordedFor(audience, clock.now());
const asText = ({ claims, status }: (typeof recordings)[number]): { payload: string; answer: string } => ({
  payload: JSON.stringify(claims),
  answer: JSON.stringify({
    kind: 'TokenReview',
    apiVersion: 'authentication.k8s.io/v1',
    spec: { token: '<token>', audiences: [audience] },
    status,
  }),
});
const texts = recordings.map(asText);

const signature = base64url(Buffer.alloc(256, 0xa5));
const tokenOf = (payload: string): string =>
  `${base64url('{"alg":"RS256","kid":"key-1"}')}.${base64url(payload)}.${signature}`;

const prototypes = [Object.prototype, Array.prototype, Function.prototype, String.prototype];
const untouched = JSON.stringify(prototypes.map((prototype) => Reflect.ownKeys(prototype).map(String)));
const arePrototypesUntouched = (): boolean =>
  untouched === JSON.stringify(prototypes.map((prototype) => Reflect.ownKeys(prototype).map(String)));

/** An authenticator whose API server answers as it is told, and all that it tells. */
function authenticatorFor(answerOf: (token: string) => string, cache: object) {
  const told: unknown[] = [];
  const asked: string[] = [];
  const apiServer = {
    post: async (_path: string, body: string): Promise<Answer> => {
      const { spec } = JSON.parse(body) as { spec: { token: string } };
      asked.push(spec.token);
      return { status: 201, headers: {}, body: answerOf(spec.token) };
    },
  };
  const authenticator = composeAuthenticator(
    {
      audiences: audience,
      clock,
      cache,
      log: (entry) => told.push(entry),
      reviewer: apiServerReview(apiServer as unknown as ApiServer),
    },
    'fuzz',
  );
  for (const event of ['reviewed', 'rejected', 'unavailable'] as const satisfies AuthenticatorEvent[]) {
    authenticator.on(event, (payload) => told.push(payload));
  }
  return { authenticator, told, asked };
}

/** The row of the design's table that a failure is in, if in any. */
function rowOfError(error: unknown): Row | 'none of the table' {
  if (!(error instanceof ServiceAccountAuthError)) return 'none of the table';
  const { status, headers } = error;
  const challenge = headers['WWW-Authenticate'];
  if (status === 503 && Number(headers['Retry-After']) > 0 && challenge === undefined) return 'unavailable';
  if (status === 401 && challenge === 'Bearer realm="kubernetes"') return 'no credentials';
  if (status === 401 && challenge?.includes(', error="invalid_token"')) return 'invalid token';
  if (status === 400 && challenge?.includes(', error="invalid_request"')) return 'invalid request';
  return 'none of the table';
}

/** Long pieces of what was sent that are in what was told. */
const leaked = (sent: string, told: string): string[] =>
  sent.split(/[\s,.]/).filter((piece) => piece.length >= 16 && told.includes(piece));

const toldOf = (error: unknown): unknown =>
  error instanceof ServiceAccountAuthError ? [error.message, error.headers, error.stack] : error;

test(
  'whatever the Authorization headers are, an identity comes of a genuine token alone, and all else ends in its row of the table',
  async () => {
    const answers = new Map(
      texts.map(({ payload, answer }) => [tokenOf(payload), answer.replace('<token>', tokenOf(payload))]),
    );
    const refused = '{"status":{"user":{},"error":"invalid bearer token"}}';
    const { authenticator, told, asked } = authenticatorFor((token) => answers.get(token) ?? refused, {});
    const middleware = k8sServiceAccountAuth({ authenticator });
    const outcomeOf = (headers: readonly string[]): Promise<unknown> => {
      const req = {
        rawHeaders: headers.flatMap((value) => ['Authorization', value]),
        headers: { authorization: headers[0] },
      };
      return new Promise((resolve) => {
        middleware(req as never, new EventEmitter() as never, (error) =>
          resolve(error ?? (req as { serviceAccount?: unknown }).serviceAccount),
        );
      });
    };
    const rows = new Map<Row, number>();
    await fc.assert(
      fc.asyncProperty(authorizationHeaders(mutatedTokens([...answers.keys()])), async (headers) => {
        told.length = asked.length = 0;
        const found = tokenIn(headers);
        const answer = 'token' in found ? answers.get(found.token) : undefined;
        const expected =
          'row' in found
            ? found.row
            : answer === undefined
              ? 'invalid token'
              : rowOf(
                  Buffer.from(found.token.split('.')[1] ?? '', 'base64url').toString(),
                  JSON.parse(answer),
                  found.token,
                  audience,
                  now,
                );
        rows.set(expected, (rows.get(expected) ?? 0) + 1);

        const outcome = await outcomeOf(headers);
        if (expected !== 'identity') {
          expect(rowOfError(outcome)).toBe(expected);
          expect(leaked(headers.join(), JSON.stringify([told, toldOf(outcome)]))).toEqual([]);
        } else {
          const { username } = (JSON.parse(answer ?? '') as { status: { user: { username: string } } }).status.user;
          expect((outcome as ServiceAccountIdentity).username).toBe(username);
        }
        expect(asked.every((token) => token.length <= 8192 && token.split('.').length === 3)).toBe(true);
        expect(asked.length).toBeLessThanOrEqual(1);
      }),
      runs(3_000, 1_000_000),
    );
    await authenticator.close();
    expect(arePrototypesUntouched()).toBe(true);
    // Each row was met, and not once in a while.
    expect(Object.fromEntries(rows)).toEqual({
      identity: expect.any(Number),
      'no credentials': expect.any(Number),
      'invalid request': expect.any(Number),
      'invalid token': expect.any(Number),
    });
  },
  patienceMs,
);

test(
  'whatever the claims and the answer to a TokenReview are, an identity comes only of those that agree, and is what they say',
  async () => {
    let answer = '';
    const { authenticator, told } = authenticatorFor(() => answer, { maxAgeMs: 0, rejectionMaxAgeMs: 0 });
    const pair = fc.constantFrom(...texts);
    const pairs = fc.oneof(
      // One of them changed, both, both in the same way, or the answer for another token.
      pair.chain((one) =>
        fc.record({ payload: fc.constant(one.payload), answer: mutatedJson(fc.constant(one.answer)) }),
      ),
      pair.chain((one) =>
        fc.record({ payload: mutatedJson(fc.constant(one.payload)), answer: fc.constant(one.answer) }),
      ),
      pair.chain((one) =>
        fc.record({ payload: mutatedJson(fc.constant(one.payload)), answer: mutatedJson(fc.constant(one.answer)) }),
      ),
      // A list that reads like the claim once it is joined.
      pair.map((one) => ({
        payload: one.payload.replaceAll('"web-1"', '"web-1,web-2"'),
        answer: one.answer.replaceAll('"web-1"', '"web-1","web-2"'),
      })),
      pair.map((one) => ({ payload: one.payload, answer: one.answer.replaceAll('system:authenticated', '<token>') })),
      fc.tuple(pair, pair).map(([one, other]) => ({ payload: one.payload, answer: other.answer })),
      fc
        .tuple(
          pair,
          fc.constantFrom('shop', 'frontend', 'web-1', 'node-a', '"uid":"'),
          fc.constantFrom('', 'a', 'a,b', 'A', ':', '-', '.', '__proto__'),
        )
        .map(([one, from, to]) => ({
          payload: one.payload.replaceAll(from, from + to),
          answer: one.answer.replaceAll(from, from + to),
        })),
    );
    const rows = new Map<Row, number>();
    await fc.assert(
      fc.asyncProperty(pairs, async (presented) => {
        told.length = 0;
        const payload = Buffer.from(presented.payload).toString();
        const token = tokenOf(payload);
        answer = presented.answer.replaceAll('<token>', token);
        let parsed: unknown;
        try {
          parsed = JSON.parse(answer);
        } catch {}
        const expected = rowOf(payload, parsed, token, audience, now);
        rows.set(expected, (rows.get(expected) ?? 0) + 1);
        const outcome = await authenticator.authenticate(token).catch((error: unknown) => error);
        if (expected !== 'identity') {
          expect(rowOfError(outcome)).toBe(expected);
          expect(leaked(token, JSON.stringify([told, toldOf(outcome)]))).toEqual([]);
          return;
        }
        const { user, audiences } = (parsed as { status: { user: Record<string, unknown>; audiences: string[] } })
          .status;
        const { username, uid, groups = [], extra = {} } = user;
        const keys = Object.fromEntries(Object.entries(extra as object).filter(([key]) => key !== '__proto__'));
        expect(outcome).toMatchObject({ username, uid, groups, reviewedAt: clock.now() });
        expect((outcome as ServiceAccountIdentity).audiences).toEqual(audiences.filter((one) => one === audience));
        expect({ ...(outcome as ServiceAccountIdentity).extra }).toEqual(keys);
        expect(JSON.stringify([outcome, told])).not.toContain(token);
      }),
      runs(3_000, 100_000),
    );
    await authenticator.close();
    expect(arePrototypesUntouched()).toBe(true);
    expect([...rows.keys()].toSorted()).toEqual(['identity', 'invalid token', 'unavailable']);
  },
  patienceMs,
);

const statuses = fc.oneof(
  fc.constantFrom(200, 201, 202, 301, 307, 400, 401, 403, 404, 409, 422, 429, 500, 503),
  fc.integer({ min: 100, max: 599 }),
);
const retryAfters = fc.oneof(
  fc.constantFrom(undefined, '', '0', '1', '-1', '1e9', '3.5', 'NaN', 'Wed, 21 Oct 2026 07:28:00 GMT', '١'),
  fc.string(),
);
const statusObjects = mutatedJson(
  fc.constant(
    JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message: 'bad token <token>', code: 400 }),
  ),
);

test(
  'whatever the API server answers but a TokenReview, it is unavailability for a reason without the token',
  async () => {
    const token = tokenOf(texts[0]?.payload ?? '');
    let given: Answer;
    const review = apiServerReview({ post: async () => given } as unknown as ApiServer);
    await fc.assert(
      fc.asyncProperty(statuses, retryAfters, statusObjects, async (status, retryAfter, text) => {
        const headers: IncomingHttpHeaders = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
        given = { status, headers, body: text.replaceAll('<token>', token) };
        const outcome: unknown = await review(tokenReviewRequest(token, []), {
          signal: new AbortController().signal,
        }).catch((error: unknown) => error);
        if (status === 200 || status === 201) return;
        expect(outcome).toBeInstanceOf(Unavailability);
        const { message, retryAfterSeconds = 1 } = outcome as Unavailability;
        expect(leaked(token, message)).toEqual([]);
        expect(message.length).toBeLessThan(800);
        expect(message).not.toMatch(/[\n\r\u2028\u2029]/);
        expect(Number.isInteger(retryAfterSeconds) && retryAfterSeconds > 0 && retryAfterSeconds <= 60).toBe(true);
      }),
      runs(500, 50_000),
    );
  },
  patienceMs,
);

test(
  'whatever the key set is, a genuine token is never refuted as long as its key is among them, and nothing throws',
  async () => {
    const key = signingKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    const foreign = signingKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    const [published] = jsonWebKeySet([key]).keys;
    const header = { alg: 'ES256', kid: key.keyId };
    const genuine = signToken(header, { jti: '1' }, key.privateKey);
    const forged = signToken(header, { jti: '1' }, foreign.privateKey);
    const keySets = mutatedJson(fc.constant(JSON.stringify(jsonWebKeySet([foreign, key, foreign]))));
    const judgementsBy = async (keySet: () => unknown): Promise<string[]> => {
      const keys = new PublishedKeys(
        async () => keySet(),
        clock,
        () => {},
      );
      return Promise.all([keys.judge(genuine), keys.judge(forged)]);
    };
    await fc.assert(
      fc.asyncProperty(keySets, async (text) => {
        const anyway = await judgementsBy(() => JSON.parse(text));
        expect(anyway.every((one) => ['confirmed', 'possible', 'refuted', 'unknown_key'].includes(one))).toBe(true);

        const withKey = await judgementsBy(() => {
          const keySet = JSON.parse(text) as { keys: unknown[] };
          keySet.keys.push(published);
          return keySet;
        });
        expect(['confirmed', 'possible']).toContain(withKey[0]);
      }),
      runs(150, 10_000),
    );
    expect(await judgementsBy(() => jsonWebKeySet([key]))).toEqual(['confirmed', 'refuted']);
  },
  patienceMs,
);

test(
  'whatever bytes a request is made of, the service goes on, and knows nobody but who has a genuine token',
  async () => {
    const first = texts.find(
      ({ payload, answer }) => rowOf(payload, JSON.parse(answer), '<another token>', audience, now) === 'identity',
    );
    const genuine = tokenOf(first?.payload ?? '');
    const { authenticator } = authenticatorFor(
      (token) => (token === genuine ? (first?.answer ?? '') : '{"status":{}}'),
      {},
    );
    await using server = await listening(identityApp({ authenticator }));
    const get = (...lines: string[]): Promise<string> =>
      rawRequest(server.port, 'GET / HTTP/1.1', 'Host: a', 'Connection: close', ...lines);
    const names = fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom('Authorization', 'authorization', 'AUTHORIZATION') },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          'Authorization ',
          ' Authorization',
          'Authorization\t',
          'Proxy-Authorization',
          'X-Authorization',
          '',
        ),
      },
    );
    const lines = fc
      .tuple(names, authorizationHeaders(mutatedTokens([genuine])))
      .map(([name, values]) => values.map((value) => `${name}: ${value}`));
    await fc.assert(
      fc.asyncProperty(lines, async (sent) => {
        // Or so many that nobody can verify are held by the address that sends them: 503.
        clock.advance(20);
        const answer = await get(...sent);
        expect(statusesOf(answer).every((status) => [200, 400, 401, 431].includes(status))).toBe(true);
        if (answer.includes('"caller":"')) {
          expect(sent.join('\n')).toContain(genuine);
          // Neither several headers nor several tokens, whatever HTTP makes of what was sent.
          expect(sent.join('\n').split(/authorization/i)).toHaveLength(2);
        } else expect(leaked(sent.join('\n'), answer)).toEqual([]);
      }),
      runs(150, 20_000),
    );
    expect(statusesOf(await get(`Authorization: Bearer ${genuine}`))).toEqual([200]);
    await authenticator.close();
  },
  patienceMs,
);
