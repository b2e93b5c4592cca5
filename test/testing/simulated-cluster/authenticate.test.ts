import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type SimulatedCluster,
  startSimulatedCluster,
} from '../../../src/testing/simulated-cluster/simulated-cluster.ts';
import { review } from './review.ts';

const ISSUER = 'https://kubernetes.default.svc.cluster.local';
const CRYPTO_FAILURE = '[invalid bearer token, go-jose/go-jose: error in cryptographic primitive]';
const INVALIDATED = '[invalid bearer token, service account token has been invalidated]';

let cluster: SimulatedCluster;
beforeAll(async () => {
  cluster = await startSimulatedCluster({ issuers: [ISSUER, 'https://second'] });
});
afterAll(() => cluster.close());

let count = 0;
/** A ServiceAccount of its own for each test, and the claims of a token of it. */
async function account(): Promise<{ name: string; uid: string; claims: Record<string, unknown> }> {
  const name = `account-${(count += 1)}`;
  const { uid } = await cluster.createServiceAccount(`shop/${name}`);
  const now = Math.floor(cluster.clock.now() / 1000);
  return {
    name,
    uid,
    claims: {
      iss: ISSUER,
      sub: `system:serviceaccount:shop:${name}`,
      aud: ['orders'],
      exp: now + 600,
      nbf: now,
      iat: now,
      'kubernetes.io': { namespace: 'shop', serviceaccount: { name, uid } },
    },
  };
}

async function legacy(name: string): Promise<{ token: string; uid: string; claims: Record<string, string> }> {
  const { uid } = await cluster.createServiceAccount(`shop/${name}`);
  const secret = await cluster.createSecret(`shop/${name}`, { legacyTokenFor: name });
  const token = await secret.legacyToken();
  const [, payload = ''] = token.split('.');
  return { token, uid, claims: JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, string> };
}

/** Another spelling of the same bytes, if there is one: with a spare bit of the last letter set. */
function respelling(base64url: string): string {
  if (base64url.length % 4 === 0) return base64url;
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return base64url.slice(0, -1) + alphabet[alphabet.indexOf(base64url.slice(-1)) | 1];
}

describe('the token cache', () => {
  test('keeps a deleted Pod authenticated for 10 s and no longer', async () => {
    const pod = await cluster.createPod('shop/cached');
    const token = await pod.token({ audiences: 'orders' });
    expect((await review(cluster, token, 'orders')).authenticated).toBe(true);
    await pod.delete();

    cluster.clock.advance(9500);
    expect((await review(cluster, token, 'orders')).authenticated).toBe(true);
    cluster.clock.advance(500);
    expect((await review(cluster, token, 'orders')).error).toBe(INVALIDATED);
  });

  test('knows a token for the audiences asked, not for others', async () => {
    const pod = await cluster.createPod('shop/two-audiences');
    const token = await pod.token({ audiences: ['orders', 'billing'] });
    await review(cluster, token, 'orders');
    await pod.delete();

    expect((await review(cluster, token, 'orders')).authenticated).toBe(true);
    expect((await review(cluster, token, 'billing')).error).toBe(INVALIDATED);
  });

  test('does not remember a refusal', async () => {
    const { claims } = await account();
    const nbf = Math.floor(cluster.clock.now() / 1000) + 62;
    const token = cluster.signToken({ ...claims, nbf });
    expect((await review(cluster, token, 'orders')).error).toContain('not valid yet');

    cluster.clock.advance(3000);
    expect((await review(cluster, token, 'orders')).authenticated).toBe(true);
  });

  test("covers the API server's own callers", async () => {
    const reviewer = await cluster.createServiceAccount('shop/short-lived');
    const token = await reviewer.token();
    const whoAmI = (): Promise<{ status: number }> =>
      cluster.request('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, { token });
    expect((await whoAmI()).status).toBe(201);
    await reviewer.delete();

    expect((await whoAmI()).status).toBe(201);
    cluster.clock.advance(10_000);
    expect((await whoAmI()).status).toBe(401);
  });
});

describe('accepted', () => {
  test('a token of a second issuer', async () => {
    const { claims } = await account();
    const token = cluster.signToken({ ...claims, iss: 'https://second' });
    expect((await review(cluster, token, 'orders')).authenticated).toBe(true);
  });

  test.each([
    ['a second key', { published: true }, {}],
    ['a second key that is not published', { published: false }, {}],
    ['a second key, its ID left out', { published: true }, { kid: undefined }],
  ])('a token signed by %s', async (_, options, header) => {
    const { claims } = await account();
    const token = cluster.signToken(claims, { key: cluster.addSigningKey('ES256', options), header });
    expect((await review(cluster, token, 'orders')).authenticated).toBe(true);
  });

  test.each(['header', 'claims', 'signature'])(
    'a token whose %s is in non-canonical base64url, as go-jose encodes anew what it decoded',
    async (part) => {
      const { claims } = await account();
      const index = ['header', 'claims', 'signature'].indexOf(part);
      // Letters without spare bits have one spelling only: a filling makes sure that there are some.
      const respelled = ['', 'x', 'xx'].flatMap((filling) => {
        const token = cluster.signToken({ ...claims, filling }, { header: { filling } });
        const parts = token.split('.').map((text, at) => (at === index ? respelling(text) : text));
        return parts.join('.') === token ? [] : [parts.join('.')];
      });
      expect(respelled.length).toBeGreaterThan(0);
      for (const token of respelled) expect((await review(cluster, token, 'orders')).authenticated).toBe(true);
    },
  );

  test('a Pod-bound token whose Node has no uid', async () => {
    const pod = await cluster.createPod('shop/on-unknown-node', { node: 'vanishing' });
    await cluster.request('DELETE', '/api/v1/nodes/vanishing');
    const status = await review(cluster, await pod.token({ audiences: 'orders' }), 'orders');
    expect(status.user.extra).toMatchObject({ 'authentication.kubernetes.io/node-name': ['vanishing'] });
    expect(status.user.extra).not.toHaveProperty(['authentication.kubernetes.io/node-uid']);
  });

  test('a single audience that is a string', async () => {
    const { claims } = await account();
    expect((await review(cluster, cluster.signToken({ ...claims, aud: 'orders' }), 'orders')).audiences).toEqual([
      'orders',
    ]);
  });

  test('a user that is no ServiceAccount, for the audience of the API server only', async () => {
    const token = cluster.createUser('jane', { uid: '42', groups: ['staff'] });
    expect(await review(cluster, token)).toEqual({
      authenticated: true,
      user: { username: 'jane', uid: '42', groups: ['staff', 'system:authenticated'] },
      audiences: [ISSUER, 'https://second'],
    });
    expect(await review(cluster, token, 'orders')).toEqual({ user: {}, error: 'invalid bearer token' });
  });

  test('a blank token, as the anonymous user', async () => {
    expect(await review(cluster, ' ', 'orders')).toEqual({
      authenticated: true,
      user: { username: 'system:anonymous', groups: ['system:unauthenticated'] },
      audiences: ['orders'],
    });
  });
});

describe('refused', () => {
  test('a token signed by a foreign key, whether or not it names ours', async () => {
    const { claims } = await account();
    expect((await review(cluster, cluster.signToken(claims, { key: 'foreign' }), 'orders')).error).toBe(CRYPTO_FAILURE);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const token = cluster.signToken(claims, { key: privateKey, header: { alg: 'ES256', kid: undefined } });
    expect((await review(cluster, token, 'orders')).error).toBe(CRYPTO_FAILURE);
  });

  test.each([
    ['an unknown critical header', { crit: ['exp'] }, CRYPTO_FAILURE],
    ['another algorithm than the key has', { alg: 'RS384' }, CRYPTO_FAILURE],
    ['an algorithm that is no string', { alg: 256 }, 'invalid bearer token'],
    ['a key ID that is no string', { kid: 1 }, 'invalid bearer token'],
  ])('%s', async (_, header, error) => {
    const { claims } = await account();
    expect((await review(cluster, cluster.signToken(claims, { header }), 'orders')).error).toBe(error);
  });

  test.each([
    ['iat', 120, 'service account token is issued in the future'],
    ['nbf', 62, 'service account token is not valid yet'],
    ['exp', -62, 'service account token has expired'],
  ])('%s off by %i s', async (claim, offset, error) => {
    const { claims } = await account();
    const token = cluster.signToken({ ...claims, [claim]: Math.floor(cluster.clock.now() / 1000) + offset });
    expect((await review(cluster, token, 'orders')).error).toBe(`[invalid bearer token, ${error}]`);
  });

  test.each([
    ['aud', 5, 'go-jose/go-jose/jwt: expected string or array value to unmarshal to Audience'],
    ['aud', [5], 'go-jose/go-jose/jwt: expected string or array value to unmarshal to Audience'],
    ['jti', 5, 'json: cannot unmarshal number into Go value of type string'],
    ['sub', ['a'], 'json: cannot unmarshal array into Go value of type string'],
    ['sub', true, 'json: cannot unmarshal bool into Go value of type string'],
  ])('a claim %s of %j', async (claim, value, error) => {
    const { claims } = await account();
    const token = cluster.signToken({ ...claims, [claim]: value });
    expect((await review(cluster, token, 'orders')).error).toBe(`[invalid bearer token, ${error}]`);
  });

  test.each(['', 'a', 'a.b', 'a.b.c.d', '....', 'é.é.é', 'bnVsbA.bnVsbA.bnVsbA', 'e30.e30.', '.e30.e30'])(
    'what is no token of ours: %j',
    async (text) => {
      expect((await review(cluster, `${text}x`, 'orders')).error).toBe('invalid bearer token');
    },
  );

  test('a wrong type is reported with the failures of the other keys', async () => {
    const { claims } = await account();
    cluster.addSigningKey('ES256');
    const token = cluster.signToken({ ...claims, exp: 'soon' }, { header: { kid: undefined } });
    expect((await review(cluster, token, 'orders')).error).toBe(
      '[invalid bearer token, go-jose/go-jose/jwt: expected number value to unmarshal NumericDate, ' +
        'go-jose/go-jose: error in cryptographic primitive]',
    );
  });

  test('a Secret-bound token once its Secret was recreated', async () => {
    const serviceAccount = await cluster.createServiceAccount('shop/holder');
    const secret = await cluster.createSecret('shop/bound');
    const token = await secret.token({ serviceAccount, audiences: 'orders' });
    expect((await review(cluster, token, 'orders')).authenticated).toBe(true);
    await secret.delete();
    const { uid } = await cluster.createSecret('shop/bound');
    cluster.clock.advance(10_000);
    expect((await review(cluster, token, 'orders')).error).toBe(
      `[invalid bearer token, secret UID (${uid}) does not match service account secret ref claim (${secret.uid})]`,
    );
  });

  test('a token whose ServiceAccount is held by a finalizer, 60 s after its deletion', async () => {
    const held = await cluster.createServiceAccount('shop/held', { finalizers: ['example.com/hold'] });
    const token = await held.token({ audiences: 'orders' });
    await held.delete();
    cluster.clock.advance(59_000);
    expect((await review(cluster, token, 'orders')).authenticated).toBe(true);
    cluster.clock.advance(12_000);
    expect((await review(cluster, token, 'orders')).error).toBe(
      '[invalid bearer token, service account shop/held has been deleted]',
    );
  });
});

describe('a legacy token', () => {
  test('is refused as soon as its Secret is gone', async () => {
    const { token } = await legacy('robot');
    expect((await review(cluster, token)).authenticated).toBe(true);
    await cluster.request('DELETE', '/api/v1/namespaces/shop/secrets/robot');
    cluster.clock.advance(10_000);
    expect((await review(cluster, token)).error).toBe('[invalid bearer token, Token has been invalidated]');
  });

  test('must be the one in the Secret', async () => {
    const { claims } = await legacy('copied');
    expect((await review(cluster, cluster.signToken({ ...claims, extra: 1 }))).error).toBe(
      "[invalid bearer token, Token does not match server's copy]",
    );
  });

  test.each([
    ['sub', 'sub claim is missing'],
    ['kubernetes.io/serviceaccount/namespace', 'namespace claim is missing'],
    ['kubernetes.io/serviceaccount/secret.name', 'secretName claim is missing'],
    ['kubernetes.io/serviceaccount/service-account.name', 'serviceAccountName claim is missing'],
    ['kubernetes.io/serviceaccount/service-account.uid', 'serviceAccountUID claim is missing'],
  ])('must have the claim %s', async (claim, error) => {
    const claims = {
      iss: 'kubernetes/serviceaccount',
      sub: 'system:serviceaccount:shop:a',
      'kubernetes.io/serviceaccount/namespace': 'shop',
      'kubernetes.io/serviceaccount/secret.name': 'a',
      'kubernetes.io/serviceaccount/service-account.name': 'a',
      'kubernetes.io/serviceaccount/service-account.uid': 'a',
    };
    expect((await review(cluster, cluster.signToken({ ...claims, [claim]: undefined }))).error).toBe(
      `[invalid bearer token, ${error}]`,
    );
  });

  test('must have a subject that fits', async () => {
    const { claims } = await legacy('misfit');
    const token = cluster.signToken({ ...claims, sub: 'system:serviceaccount:shop:other' });
    expect((await review(cluster, token)).error).toBe('[invalid bearer token, sub claim is invalid]');
  });

  test.each(['deleted', 'recreated', 'terminating'])('is refused when its ServiceAccount is %s', async (state) => {
    // A bare API server keeps the Secret of a ServiceAccount that is gone.
    await using bare = await startSimulatedCluster({ controllers: false });
    const finalizers = state === 'terminating' ? ['example.com/hold'] : [];
    const robot = await bare.createServiceAccount('shop/robot', { finalizers });
    const token = bare.signToken({
      iss: 'kubernetes/serviceaccount',
      sub: 'system:serviceaccount:shop:robot',
      'kubernetes.io/serviceaccount/namespace': 'shop',
      'kubernetes.io/serviceaccount/secret.name': 'robot',
      'kubernetes.io/serviceaccount/service-account.name': 'robot',
      'kubernetes.io/serviceaccount/service-account.uid': robot.uid,
    });
    await bare.createSecret('shop/robot', { legacyTokenFor: 'robot', data: { token } });
    expect((await review(bare, token)).user.username).toBe('system:serviceaccount:shop:robot');
    await robot.delete();
    const uid = state === 'recreated' ? (await bare.createServiceAccount('shop/robot')).uid : '';
    bare.clock.advance(10_000);

    const errors: Record<string, string> = {
      deleted: 'serviceaccounts "robot" not found',
      recreated: `ServiceAccount UID (${uid}) does not match claim (${robot.uid})`,
      terminating: 'ServiceAccount shop/robot has been deleted',
    };
    expect((await review(bare, token)).error).toBe(`[invalid bearer token, ${errors[state]}]`);
  });
});
