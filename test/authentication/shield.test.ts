import { createSecretKey, generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { LogEntry } from '../../src/authentication/log.ts';
import { createAuthenticator } from '../../src/create-authenticator.ts';
import type { Authenticator } from '../../src/kubernetes-authenticator.ts';
import { signToken } from '../../src/testing/simulated-cluster/sign-token.ts';
import type { SigningKey } from '../../src/testing/simulated-cluster/signing-key.ts';
import { type SimulatedCluster, startSimulatedCluster } from '../../src/testing/simulated-cluster/simulated-cluster.ts';
import { caught } from '../support/caught.ts';

let cluster: SimulatedCluster;
let authenticator: Authenticator;
let logged: LogEntry[];
let valid: string;
beforeEach(async () => {
  cluster = await startSimulatedCluster();
  logged = [];
  authenticator = createAuthenticator({
    kubeConfig: cluster.kubeConfig,
    audiences: 'orders',
    clock: cluster.clock,
    log: (entry) => logged.push(entry),
  });
  const pod = await cluster.createPod('shop/web-1', { serviceAccount: 'web', node: 'node-a' });
  valid = await pod.token({ audiences: 'orders' });
});
afterEach(async () => {
  await authenticator.close();
  await cluster.close();
});

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

/** What the cluster issued, with changed claims, signed as said. */
const signed = (key: SigningKey, header: object = {}, changes: object = {}): string =>
  signToken({ alg: key.algorithm, kid: key.keyId, ...header }, { ...claimsOf(valid), ...changes }, key.privateKey);

let serial = 0;
const forged = (kid: string | undefined, alg = 'RS256'): string => {
  serial += 1;
  const key = alg === 'RS256' ? 'foreign' : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  return cluster.signToken({ ...claimsOf(valid), serial }, { key, header: { alg, kid } });
};

const codeOf = async (token: string): Promise<unknown> =>
  authenticator.authenticate(token).then(
    ({ username }) => username,
    (error: unknown) => (error as { code: string }).code,
  );
const web = 'system:serviceaccount:shop:web';

describe('with the keys that a cluster publishes', () => {
  test('tokens of its RSA and of its EC key are reviewed and accepted', async () => {
    const ec = cluster.addSigningKey('ES256');
    expect([
      await codeOf(valid),
      await codeOf(signed(ec)),
      await codeOf(signed(cluster.signingKey, { kid: undefined })),
    ]).toEqual([web, web, web]);
    expect([cluster.requests.tokenreviews, cluster.requests.jwks]).toEqual([3, 1]);
  });

  test('whatever is forged in the name of one of them costs no review', async () => {
    const ec = cluster.addSigningKey('ES256');
    const rsa = cluster.signingKey;
    const [header, , signature] = valid.split('.');
    const tampered = Buffer.from(JSON.stringify({ ...claimsOf(valid), sub: 'system:serviceaccount:kube-system:root' }));
    const [noneHeader, nonePayload] = signed(rsa, { alg: 'none' }).split('.');
    const forgeries = [
      forged(rsa.keyId),
      forged(ec.keyId, 'ES256'),
      forged(ec.keyId),
      forged(rsa.keyId, 'ES256'),
      `${header}.${tampered.toString('base64url')}.${signature}`,
      `${noneHeader}.${nonePayload}.${signature}`,
      signToken({ alg: 'HS256', kid: rsa.keyId }, claimsOf(valid), rsa.publicKey),
      signToken({ alg: 'HS256', kid: rsa.keyId }, claimsOf(valid), createSecretKey(Buffer.alloc(0))),
      signed(rsa, { alg: 'RS512' }),
      signed(rsa, { alg: 'ES256' }),
      signed(ec, { alg: 'RS256' }),
      signed(ec, { kid: rsa.keyId }),
    ];
    expect(await Promise.all(forgeries.map(codeOf))).toEqual(forgeries.map(() => 'token_forged'));
    expect([cluster.requests.tokenreviews, cluster.requests.jwks]).toEqual([0, 1]);
    expect(logged).toEqual([]);
  });

  test('5,000 forged tokens with a known key ID cost no review, while a valid caller is served', async () => {
    const { keyId } = cluster.signingKey;
    await authenticator.ready();
    const before = cluster.requests.tokenreviews;
    const [header, payload, signature = ''] = forged(keyId).split('.');
    const bytes = Buffer.from(signature, 'base64url');
    const codes = new Set<unknown>();
    for (let index = 0; index < 5_000; index += 1) {
      bytes.writeUInt32BE(index, 20);
      codes.add(await codeOf(`${header}.${payload}.${bytes.toString('base64url')}`));
    }
    expect(codes).toEqual(new Set(['token_forged']));
    expect(cluster.requests.tokenreviews).toBe(before);
    expect(await codeOf(valid)).toBe(web);
    expect([cluster.requests.tokenreviews, cluster.requests.jwks]).toEqual([before + 1, 1]);
    expect(authenticator.status().cachedRejections).toBeLessThanOrEqual(10_000);
  }, 60_000);

  test('300 tokens of unknown keys cost one more look at the keys and their small budget; then they are 503', async () => {
    await authenticator.ready();
    const tokens = Array.from({ length: 300 }, (_, index) => forged(`unknown-${index}`));
    const before = cluster.requests.tokenreviews;
    const began = cluster.clock.monotonic();
    cluster.clock.advance(30_000);
    const codes = await Promise.all(tokens.map(codeOf));
    const reviews = cluster.requests.tokenreviews - before;
    expect(reviews).toBeGreaterThanOrEqual(40);
    expect(reviews).toBeLessThanOrEqual(50 + 1 + (cluster.clock.monotonic() - 30_000 - began) / 100);
    expect(codes.filter((code) => code === 'token_refused')).toHaveLength(reviews);
    expect(codes.filter((code) => code === 'unknown_key_limit')).toHaveLength(300 - reviews);
    expect(cluster.requests.jwks).toBe(2);
    // Whoever is known meanwhile notices nothing.
    expect(await codeOf(valid)).toBe(web);
  });

  test('tokens that no key confirms and that name none have the same small budget', async () => {
    const codes = await Promise.all(Array.from({ length: 100 }, () => codeOf(forged(undefined))));
    expect(new Set(codes)).toEqual(new Set(['token_refused', 'unknown_key_limit']));
    expect(cluster.requests.jwks).toBe(1);
  });

  test('a valid token of a key that is not published is accepted', async () => {
    const hidden = cluster.addSigningKey('RS256', { published: false });
    expect(await codeOf(signed(hidden))).toBe(web);
    expect(authenticator.cached(signed(hidden))).toBeDefined();
  });

  test('a rotated key locks nobody out: 200 callers with new tokens are all accepted, by one more look', async () => {
    await authenticator.ready();
    cluster.clock.advance(30_000);
    const rotated = cluster.addSigningKey('ES256');
    const tokens = Array.from({ length: 200 }, (_, index) => signed(rotated, {}, { index }));
    expect(new Set(await Promise.all(tokens.map(codeOf)))).toEqual(new Set([web]));
    expect(cluster.requests.jwks).toBe(2);
  });

  test('a key rotated within the cooldown of the last look locks nobody out either', async () => {
    await authenticator.ready();
    const rotated = cluster.addSigningKey('RS256');
    expect(await codeOf(signed(rotated))).toBe(web);
    expect(cluster.requests.jwks).toBe(1);
    expect(await codeOf(forged(rotated.keyId))).toBe('token_refused');
    cluster.clock.advance(30_000);
    expect(await codeOf(forged(rotated.keyId))).toBe('token_forged');
  });

  test('ready() fetches them ahead, and status() says when', async () => {
    expect(authenticator.status().keysFetchedAt).toBeUndefined();
    await authenticator.ready();
    expect(cluster.requests.jwks).toBe(1);
    expect(authenticator.status().keysFetchedAt).toBeLessThanOrEqual(cluster.clock.now());
    await codeOf(valid);
    await codeOf(forged(cluster.signingKey.keyId));
    expect(cluster.requests.jwks).toBe(1);
  });

  test('keys older than ten minutes are fetched anew', async () => {
    await authenticator.ready();
    const first = authenticator.status().keysFetchedAt;
    cluster.clock.advance(600_001);
    await codeOf(forged(cluster.signingKey.keyId));
    while (authenticator.status().keysFetchedAt === first) await new Promise((resolve) => setImmediate(resolve));
    expect(cluster.requests.jwks).toBe(2);
  });
});

describe('without keys', () => {
  const faults = [
    ['401', { status: 401 }],
    ['403', { status: 403 }],
    ['404', { status: 404 }],
    ['500', { status: 500 }],
    ['no answer', { hang: true }],
    ['HTML', { body: '<html>no</html>', contentType: 'text/html' }],
    ['an empty object', { body: '{}' }],
    ['10 MB', { body: Buffer.alloc(10 * 1024 * 1024, ' ') }],
    ['a redirect', { redirect: 'https://127.0.0.1:1/stolen' }],
  ] as const;

  test.each(faults)('(%s) there is service and no shield, and one line in the log', async (_, fault) => {
    using active = cluster.fault('jwks', fault);
    expect(await Promise.all([codeOf(valid), codeOf(forged(cluster.signingKey.keyId))])).toEqual([
      web,
      'token_refused',
    ]);
    expect(await codeOf(forged(cluster.signingKey.keyId))).toBe('token_refused');
    expect(active.hits).toBe(1);
    expect(logged.map(({ code }) => code)).toEqual(['keys_unavailable']);
    expect(authenticator.status().keysFetchedAt).toBeUndefined();
  });

  test('that come back the shield does too', async () => {
    {
      using _ = cluster.fault('jwks', { status: 503 });
      await codeOf(valid);
    }
    cluster.clock.advance(30_000);
    const before = cluster.requests.tokenreviews;
    expect(await codeOf(forged(cluster.signingKey.keyId))).toBe('token_forged');
    expect(cluster.requests.tokenreviews).toBe(before);
  });

  test('a reset connection is no line of its own: where it lasts, the review says so', async () => {
    using _ = cluster.fault('jwks', { reset: 'before' });
    expect(await codeOf(valid)).toBe(web);
    expect(logged).toEqual([]);
  });
});

test('neither keys nor review may take longer than the one deadline, together', async () => {
  using _ = cluster.fault('*', { hang: true });
  await using hurried = createAuthenticator({
    kubeConfig: cluster.kubeConfig,
    audiences: 'orders',
    clock: cluster.clock,
    log: false,
    review: { timeoutMs: 600 },
  });
  const began = performance.now();
  expect(await caught(hurried.authenticate(valid))).toMatchObject({ code: 'api_server_timeout' });
  const tookMs = performance.now() - began;
  expect(tookMs).toBeGreaterThan(590);
  // 900 ms would be one after the other.
  expect(tookMs).toBeLessThan(850);
});

test('a reviewer of one’s own has no shield: its keys are not known', async () => {
  await using own = createAuthenticator({
    reviewer: async () => ({ status: { error: 'no' } }),
    audiences: 'orders',
    clock: cluster.clock,
    log: false,
  });
  expect(await caught(own.authenticate(forged(cluster.signingKey.keyId)))).toMatchObject({ code: 'token_refused' });
  expect(cluster.requests.total).toBe(0);
});
