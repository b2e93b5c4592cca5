import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import express from 'express';
import { type AuthenticateOptions, k8sServiceAccountAuth } from '../../src/index.ts';
import { fakeIdentity } from '../../src/testing/index.ts';
import { type SimulatedCluster, startSimulatedCluster } from '../../src/testing/simulated-cluster/simulated-cluster.ts';
import { base64url } from '../support/tokens.ts';
import { answerWithError } from './support/guarded-app.ts';
import { type ListeningServer, listening } from './support/listening.ts';

const flooder = '10.0.0.66';
const neighbour = flooder;
const other = '10.0.0.7';

let cluster: SimulatedCluster;
let server: ListeningServer;
/** Moved by hand alone, as budgets refill with time. */
let monotonicMs: number;
beforeEach(async () => {
  cluster = await startSimulatedCluster();
  const { kubeConfig } = cluster;
  monotonicMs = 0;
  const clock = { now: () => cluster.clock.now(), monotonic: () => monotonicMs };
  const middleware = k8sServiceAccountAuth({ kubeConfig, clock, audiences: 'orders', log: false });
  server = await listening(serviceBehind(middleware));
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await cluster.close();
});

function serviceBehind(middleware: ReturnType<typeof k8sServiceAccountAuth>): express.Express {
  const app = express();
  // A machine has but one loopback address for sure.
  app.use((req, _res, next) => {
    Object.defineProperty(req.socket, 'remoteAddress', { value: req.get('x-test-peer'), configurable: true });
    next();
  });
  app.use(middleware);
  app.get('/', (req, res) => {
    res.send(req.serviceAccount?.name);
  });
  return app.use(answerWithError);
}

/** What a request from that address comes to: its status, and its `Retry-After`. */
async function from(peer: string, token: string, headers: object = {}): Promise<string> {
  const sent = request(server.url, {
    headers: { ...headers, authorization: `Bearer ${token}`, 'x-test-peer': peer },
  });
  const [answer] = (await once(sent.end(), 'response')) as [IncomingMessage];
  await text(answer);
  return [answer.statusCode, answer.headers['retry-after']].filter((one) => one !== undefined).join(', again in ');
}

async function countsOf(outcomes: readonly Promise<string>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const outcome of await Promise.all(outcomes)) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

let serial = 0;
async function valid(): Promise<string> {
  serial += 1;
  return (await cluster.createPod(`shop/web-${serial}`, { serviceAccount: 'web' })).token({ audiences: 'orders' });
}

/** So many forged tokens that each come once. */
async function forged(count: number, header: (index: number) => object = () => ({})): Promise<string[]> {
  const claims = claimsOf(await valid());
  return Array.from({ length: count }, (_, index) =>
    [
      { alg: 'RS256', kid: cluster.signingKey.keyId, ...header(index) },
      { ...claims, index },
    ]
      .map((part) => base64url(JSON.stringify(part)))
      .concat(base64url(randomBytes(256)))
      .join('.'),
  );
}

const claimsOf = (token: string): object =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as object;

test('forged tokens with a known key ID cost no review, and their neighbours nothing', async () => {
  const tokens = await forged(300);
  const good = await valid();
  const flood = countsOf(tokens.map((token) => from(flooder, token)));
  expect(await from(neighbour, good)).toBe('200');
  expect(await flood).toEqual({ '401': 300 });
  expect(cluster.requests.tokenreviews).toBe(1);
});

test('forged tokens of unknown keys have a small budget and then get 503; neighbours with a known key notice nothing', async () => {
  const tokens = await forged(300, (index) => ({ kid: `unknown-${index}` }));
  const counts = await countsOf(tokens.map((token) => from(flooder, token)));
  expect(counts).toEqual({ '401': 40, '503, again in 1': 260 });
  expect(cluster.requests.tokenreviews).toBe(40);
  expect(await from(neighbour, await valid())).toBe('200');
  const unpublished = cluster.addSigningKey('RS256', { published: false });
  expect(await from(other, cluster.signToken(claimsOf(await valid()), { key: unpublished }))).toBe('200');
});

test('without keys a peer whose tokens are refused is held; the others are not, and what it says of itself counts for nothing', async () => {
  using _ = cluster.fault('jwks', { status: 403 });
  const known = await valid();
  expect(await from(neighbour, known)).toBe('200');
  expect(await countsOf((await forged(200)).map((token) => from(flooder, token)))).toEqual({ '401': 200 });
  const late = (await forged(50)).map((token) => from(flooder, token, { 'x-forwarded-for': other }));
  expect(await countsOf(late)).toEqual({ '503, again in 1': 50 });
  expect(cluster.requests.tokenreviews).toBe(201);
  expect(await from(other, await valid())).toBe('200');
  // One that was verified before is reviewed anew, and is not held: its term is over, and the hold is not.
  monotonicMs += 60_000;
  for (const token of await forged(200)) await from(flooder, token);
  expect([await from(flooder, await valid()), await from(neighbour, known)]).toEqual(['503, again in 1', '200']);
});

test('the authenticator is told the address of the connection', async () => {
  const peers: (string | undefined)[] = [];
  const authenticate = async (
    _token: string,
    { peer }: AuthenticateOptions = {},
  ): Promise<ReturnType<typeof fakeIdentity>> => {
    peers.push(peer);
    return fakeIdentity('shop/web');
  };
  await using own = await listening(
    express().use(k8sServiceAccountAuth({ authenticator: { authenticate } }), (_req, res) => void res.end()),
  );
  const answer = await fetch(own.url, { headers: { authorization: 'Bearer token' } });
  expect([answer.status, peers]).toEqual([200, ['127.0.0.1']]);
});
