import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { LogEntry } from '../../src/authentication/log.ts';
import { Unavailability } from '../../src/authentication/reviewer.ts';
import { PublishedKeys } from '../../src/kubernetes/published-keys.ts';
import { signToken } from '../../src/testing/simulated-cluster/sign-token.ts';
import { jsonWebKeySet, signingKey, type SigningKey } from '../../src/testing/simulated-cluster/signing-key.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { base64url, podClaims } from '../support/tokens.ts';

const rsaKey = (modulusLength = 2048): SigningKey =>
  signingKey(generateKeyPairSync('rsa', { modulusLength }).privateKey);
const ecKey = (namedCurve = 'P-256'): SigningKey => signingKey(generateKeyPairSync('ec', { namedCurve }).privateKey);

const rsa = rsaKey();
const ec = ecKey();
const foreign = rsaKey();

let clock: FakeClock;
let logged: LogEntry[];
let published: unknown;
let fetches: number;
let fetchKeySet: () => Promise<unknown>;
let keys: PublishedKeys;
beforeEach(() => {
  clock = new FakeClock();
  logged = [];
  published = jsonWebKeySet([rsa, ec]);
  fetches = 0;
  fetchKeySet = async () => published;
  keys = new PublishedKeys(
    () => {
      fetches += 1;
      return fetchKeySet();
    },
    clock,
    (entry) => logged.push(entry),
  );
});

const claims = (): object => podClaims(clock);
const signedBy = ({ algorithm: alg, keyId: kid, privateKey }: SigningKey, header: object = {}): string =>
  signToken({ alg, kid, ...header }, claims(), privateKey);
const judged = (...tokens: string[]): Promise<string[]> => Promise.all(tokens.map((token) => keys.judge(token)));

/** A token with a signature of any algorithm, which Kubernetes itself does not sign with. */
function signedWith(alg: string, kid: string | undefined, key: KeyObject, hash: string, pss = false): string {
  const input = `${base64url(JSON.stringify({ alg, kid }))}.${base64url(JSON.stringify(claims()))}`;
  const padding = pss ? { padding: 6, saltLength: -1 } : {};
  const signature = sign(hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363', ...padding });
  return `${input}.${base64url(signature)}`;
}

describe('a token that names a published key', () => {
  test.each([
    ['RS256', rsa],
    ['ES256', ec],
  ])('and is signed by it with %s is confirmed', async (_, key) => {
    expect(await judged(signedBy(key))).toEqual(['confirmed']);
  });

  test.each([
    ['ES384', 'P-384', 'sha384'],
    ['ES512', 'P-521', 'sha512'],
  ])('of another curve, with %s, is confirmed, and a forged one is refuted', async (alg, curve, hash) => {
    const { privateKey, publicKey, keyId } = ecKey(curve);
    published = { keys: [{ kid: keyId, ...publicKey.export({ format: 'jwk' }) }] };
    expect(
      await judged(signedWith(alg, keyId, privateKey, hash), signedWith(alg, keyId, ecKey(curve).privateKey, hash)),
    ).toEqual(['confirmed', 'refuted']);
  });

  test.each([
    ['RS384', 'sha384', false],
    ['RS512', 'sha512', false],
    ['PS256', 'sha256', true],
    ['PS384', 'sha384', true],
    ['PS512', 'sha512', true],
  ])(
    'and is signed by it with %s, which API servers accept, is confirmed; by another it is refuted',
    async (alg, hash, pss) => {
      expect(
        await judged(
          signedWith(alg, rsa.keyId, rsa.privateKey, hash, pss),
          signedWith(alg, rsa.keyId, foreign.privateKey, hash, pss),
        ),
      ).toEqual(['confirmed', 'refuted']);
    },
  );

  test('and is signed by another is refuted, whichever that is', async () => {
    const forgeries = [
      signToken({ alg: 'RS256', kid: rsa.keyId }, claims(), foreign.privateKey),
      signToken({ alg: 'ES256', kid: ec.keyId }, claims(), ecKey().privateKey),
      // Signed by one published key, in the name of the other.
      signToken({ alg: 'ES256', kid: rsa.keyId }, claims(), ec.privateKey),
      signToken({ alg: 'RS256', kid: ec.keyId }, claims(), rsa.privateKey),
    ];
    expect(await judged(...forgeries)).toEqual(forgeries.map(() => 'refuted'));
  });

  test('and whose claims were changed is refuted', async () => {
    const [header, , signature] = signedBy(rsa).split('.');
    const changed = base64url(JSON.stringify(podClaims(clock, { sub: 'system:serviceaccount:kube-system:admin' })));
    expect(await judged(`${header}.${changed}.${signature}`)).toEqual(['refuted']);
  });

  test('and whose signature was changed, cut or lengthened is refuted', async () => {
    const [header = '', payload = '', signature = ''] = signedBy(rsa).split('.');
    const bytes = Buffer.from(signature, 'base64url');
    const flipped = Buffer.from(bytes);
    flipped[100] = (flipped[100] ?? 0) ^ 1;
    const others = [flipped, bytes.subarray(1), bytes.subarray(0, -1), Buffer.concat([bytes, bytes]), Buffer.of(0)];
    const forgeries = others.map((other) => `${header}.${payload}.${base64url(other)}`);
    expect(await judged(...forgeries)).toEqual(others.map(() => 'refuted'));
  });

  test.each<[string, (key: SigningKey) => string]>([
    ['alg none', (key) => signedBy(key, { alg: 'none' }) + 'AAAA'],
    [
      'HS256 with the public key for a secret',
      (key) => signToken({ alg: 'HS256', kid: key.keyId }, claims(), key.publicKey),
    ],
    ['RS256 of an EC key', () => signedBy(ec, { alg: 'RS256' })],
    ['ES256 of an RSA key', () => signedBy(rsa, { alg: 'ES256' })],
    ['RS512 over a signature by RS256', () => signedBy(rsa, { alg: 'RS512' })],
    ['no alg', (key) => signedBy(key, { alg: undefined })],
    ['an alg that is no string', (key) => signedBy(key, { alg: ['RS256'] })],
    ['an alg that there is not', (key) => signedBy(key, { alg: 'constructor' })],
    ['a critical header that nobody knows', (key) => signedBy(key, { crit: ['exp'], exp: 1 })],
    [
      'a key of its own',
      (key) =>
        signToken(
          { alg: 'RS256', kid: key.keyId, jwk: foreign.publicKey.export({ format: 'jwk' }) },
          claims(),
          foreign.privateKey,
        ),
    ],
  ])('with %s is refuted', async (_, forge) => {
    const forgeries = [forge(rsa), forge(ec)];
    expect(await judged(...forgeries)).toEqual(['refuted', 'refuted']);
  });

  test('of which there are two of that name is refuted only by both', async () => {
    const twin = rsaKey();
    const [own] = jsonWebKeySet([rsa]).keys;
    const [other] = jsonWebKeySet([twin]).keys;
    published = { keys: [own, { ...other, kid: rsa.keyId }] };
    expect(
      await judged(
        signedBy(rsa),
        signToken({ alg: 'RS256', kid: rsa.keyId }, claims(), twin.privateKey),
        signToken({ alg: 'RS256', kid: rsa.keyId }, claims(), foreign.privateKey),
      ),
    ).toEqual(['confirmed', 'confirmed', 'refuted']);
  });
});

describe('a key that cannot be used refutes nothing, and spoils no other:', () => {
  const weak = rsaKey(1024);
  const edwards = generateKeyPairSync('ed25519');
  test.each<[string, object, byRsa: string, byEc: string]>([
    ['an RSA key that is too short', { ...jsonWebKeySet([weak]).keys[0], kid: 'odd' }, 'possible', 'refuted'],
    ['one of another kind', { ...edwards.publicKey.export({ format: 'jwk' }), kid: 'odd' }, 'possible', 'possible'],
    ['a shared secret', { kty: 'oct', k: 'AAAA', kid: 'odd' }, 'possible', 'possible'],
    ['one without its numbers', { kty: 'RSA', kid: 'odd' }, 'possible', 'refuted'],
    ['one with numbers that are none', { kty: 'RSA', n: '!', e: '?', kid: 'odd' }, 'possible', 'refuted'],
    [
      'a point that is not on its curve',
      { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA', kid: 'odd' },
      'refuted',
      'possible',
    ],
    [
      'a curve that nobody knows',
      { kty: 'EC', crv: 'P-257', x: 'AAAA', y: 'AAAA', kid: 'odd' },
      'possible',
      'possible',
    ],
    ['a curve that is not named', { kty: 'EC', x: 'AAAA', y: 'AAAA', kid: 'odd' }, 'possible', 'possible'],
  ])('%s', async (_, odd, byRsa, byEc) => {
    published = { keys: [odd, ...jsonWebKeySet([rsa]).keys] };
    expect(
      await judged(
        signToken({ alg: 'RS256', kid: 'odd' }, claims(), weak.privateKey),
        signToken({ alg: 'ES256', kid: 'odd' }, claims(), ec.privateKey),
        signedBy(rsa),
        signToken({ alg: 'RS256', kid: rsa.keyId }, claims(), foreign.privateKey),
        // That it may be by the odd one confirms no token without a key ID.
        signedBy(foreign, { kid: undefined }),
      ),
    ).toEqual([byRsa, byEc, 'confirmed', 'refuted', 'unknown_key']);
    expect(logged).toEqual([]);
  });

  test('what a key says that it is for does not matter: the API server does not look either', async () => {
    published = {
      keys: jsonWebKeySet([rsa]).keys.map((key) => ({
        ...key,
        use: 'enc',
        key_ops: ['encrypt'],
        alg: 'PS512',
        ext: 5,
      })),
    };
    expect(
      await judged(signedBy(rsa), signToken({ alg: 'RS256', kid: rsa.keyId }, claims(), foreign.privateKey)),
    ).toEqual(['confirmed', 'refuted']);
  });
});

describe('a token without a key ID', () => {
  test('is confirmed where any key confirms it, and unknown_key else, never refuted', async () => {
    expect(
      await judged(
        signedBy(rsa, { kid: undefined }),
        signedBy(ec, { kid: undefined }),
        signedBy(foreign, { kid: undefined }),
        signedBy(rsa, { kid: 5 }),
        signedBy(foreign, { kid: { of: rsa.keyId } }),
      ),
    ).toEqual(['confirmed', 'confirmed', 'unknown_key', 'confirmed', 'unknown_key']);
  });

  test('has no keys fetched anew', async () => {
    await judged(signedBy(foreign, { kid: undefined }));
    clock.advance(30_000);
    await judged(signedBy(foreign, { kid: undefined }));
    expect(fetches).toBe(1);
  });
});

describe('a token of an unknown key', () => {
  test.each(['__proto__', 'constructor', '', 'x'.repeat(8_000)])('is unknown_key: "%.20s"', async (kid) => {
    expect(await judged(signedBy(foreign, { kid }))).toEqual(['unknown_key']);
  });

  test('has the keys fetched anew once per 30 s, however many there are', async () => {
    await keys.ready();
    clock.advance(29_999);
    await judged(signedBy(foreign));
    expect(fetches).toBe(1);
    clock.advance(1);
    await judged(...Array.from({ length: 100 }, () => signedBy(foreign)));
    expect(fetches).toBe(2);
    clock.advance(29_999);
    await judged(signedBy(foreign));
    expect(fetches).toBe(2);
    clock.advance(1);
    await judged(signedBy(foreign));
    expect(fetches).toBe(3);
  });

  test('is judged by the key once it is published: 1,000 callers wait for one fetch, and none is unknown', async () => {
    await keys.ready();
    const rotated = rsaKey();
    published = jsonWebKeySet([rotated, rsa]);
    clock.advance(30_000);
    const tokens = Array.from({ length: 1_000 }, () => signedBy(rotated));
    expect(new Set(await judged(...tokens))).toEqual(new Set(['confirmed']));
    expect(await judged(signToken({ alg: 'RS256', kid: rotated.keyId }, claims(), foreign.privateKey))).toEqual([
      'refuted',
    ]);
    expect(fetches).toBe(2);
  });

  test('within the cooldown is unknown, and known after it', async () => {
    await keys.ready();
    const rotated = rsaKey();
    published = jsonWebKeySet([rotated]);
    expect(await judged(signedBy(rotated))).toEqual(['unknown_key']);
    clock.advance(30_000);
    expect(await judged(signedBy(rotated))).toEqual(['confirmed']);
  });

  test('leaves the known keys as they are where the fetch fails', async () => {
    await keys.ready();
    fetchKeySet = () => Promise.reject(new Error('no'));
    clock.advance(30_000);
    expect(
      await judged(
        signedBy(ecKey()),
        signedBy(rsa),
        signToken({ alg: 'RS256', kid: rsa.keyId }, claims(), foreign.privateKey),
      ),
    ).toEqual(['unknown_key', 'confirmed', 'refuted']);
  });
});

describe('without keys', () => {
  test.each<[string, () => Promise<unknown>]>([
    ['HTTP 403', () => Promise.reject(new Unavailability('api_server_error', 'HTTP 403 for /openid/v1/jwks'))],
    ['no answer in time', () => Promise.reject(new Unavailability('api_server_timeout', 'No answer within 1000 ms'))],
    ['an answer too long', () => Promise.reject(new Unavailability('answer_invalid', 'longer than'))],
    ['HTML', async () => JSON.parse('<html>') as unknown],
    ['null', async () => null],
    ['an empty object', async () => ({})],
    ['keys that are no list', async () => ({ keys: 'none' })],
    ['a key that is null', async () => ({ keys: [null] })],
    ['a key without a kind', async () => ({ keys: [{ kid: 'a' }] })],
    ['a name that is no text', async () => ({ keys: [{ kid: 5, kty: 'RSA' }] })],
    ['more keys than any cluster has, and wrong ones', async () => ({ keys: Array.from({ length: 101 }, () => 1) })],
    ['more keys than any cluster has', async () => ({ keys: Array.from({ length: 101 }, () => ({ kty: 'RSA' })) })],
  ])('(%s) everything is possible, and the operator is told once per try', async (_, fails) => {
    fetchKeySet = fails;
    const tokens = [signedBy(rsa), signedBy(foreign), signedBy(foreign, { kid: undefined })];
    expect(await judged(...tokens)).toEqual(['possible', 'possible', 'possible']);
    expect(await judged(...tokens)).toEqual(['possible', 'possible', 'possible']);
    expect(fetches).toBe(1);
    expect(logged).toEqual([
      { level: 'warn', code: 'keys_unavailable', message: expect.stringContaining('forged tokens cost a review each') },
    ]);
    expect(keys.keysFetchedAt).toBeUndefined();
    expect(JSON.stringify(logged).length).toBeLessThan(600);
  });

  test.each(['configuration_invalid', 'credential_unreadable', 'api_server_unreachable'] as const)(
    '(%s) the review says why, not we',
    async (code) => {
      fetchKeySet = () => Promise.reject(new Unavailability(code, 'no'));
      expect(await judged(signedBy(foreign))).toEqual(['possible']);
      expect(logged).toEqual([]);
    },
  );

  test('they are looked for again after 30 s, by one try for all', async () => {
    fetchKeySet = () => Promise.reject(new Error('no'));
    await judged(signedBy(rsa));
    clock.advance(30_000);
    fetchKeySet = async () => published;
    const forged = signToken({ alg: 'RS256', kid: rsa.keyId }, claims(), foreign.privateKey);
    expect(await judged(forged, forged, signedBy(rsa))).toEqual(['refuted', 'refuted', 'confirmed']);
    expect(fetches).toBe(2);
  });

  test('because there are none published, everything is possible, and no one is told', async () => {
    published = { keys: [] };
    expect(await judged(signedBy(foreign), signedBy(foreign, { kid: undefined }))).toEqual(['possible', 'possible']);
    expect(logged).toEqual([]);
  });

  test('readiness is not kept by it', async () => {
    fetchKeySet = () => Promise.reject(new Error('no'));
    await expect(keys.ready()).resolves.toBeUndefined();
  });
});

describe('keys', () => {
  test('are fetched with the first token, or ahead of it', async () => {
    expect(keys.keysFetchedAt).toBeUndefined();
    await keys.ready();
    expect([fetches, keys.keysFetchedAt]).toEqual([1, clock.now()]);
    await judged(signedBy(rsa));
    expect(fetches).toBe(1);
  });

  test('older than ten minutes are fetched anew, beside the request: nobody waits for it', async () => {
    await keys.ready();
    const first = keys.keysFetchedAt;
    clock.advance(600_000);
    await judged(signedBy(rsa));
    expect([fetches, keys.keysFetchedAt]).toEqual([1, first]);
    clock.advance(1);
    const { promise, resolve } = Promise.withResolvers<unknown>();
    fetchKeySet = () => promise;
    expect(await judged(signedBy(rsa), signedBy(rsa), signedBy(ec))).toEqual(['confirmed', 'confirmed', 'confirmed']);
    expect([fetches, keys.keysFetchedAt]).toEqual([2, first]);
    resolve(jsonWebKeySet([ec]));
    await keys.ready();
    expect(keys.keysFetchedAt).toBe(clock.now());
    expect(fetches).toBe(2);
    // The key that was withdrawn refutes nothing any more.
    expect(await judged(signToken({ alg: 'RS256', kid: rsa.keyId }, claims(), foreign.privateKey))).toEqual([
      'unknown_key',
    ]);
  });

  test('are good still when they cannot be fetched anew', async () => {
    await keys.ready();
    clock.advance(600_001);
    fetchKeySet = () => Promise.reject(new Error('no'));
    await judged(signedBy(rsa));
    expect(
      await judged(signedBy(rsa), signToken({ alg: 'RS256', kid: rsa.keyId }, claims(), foreign.privateKey)),
    ).toEqual(['confirmed', 'refuted']);
    expect(logged.map(({ code }) => code)).toEqual(['keys_unavailable']);
  });

  test('of which one has no name serve tokens without one', async () => {
    const { kid: _, ...nameless } = { ...createPublicKey(rsa.privateKey).export({ format: 'jwk' }), kid: undefined };
    published = { keys: [nameless] };
    expect(await judged(signedBy(rsa, { kid: undefined }), signedBy(rsa))).toEqual(['confirmed', 'unknown_key']);
  });
});

describe('checks', () => {
  const forgedAlike = (count: number): string[] =>
    Array.from({ length: count }, () => signedBy(foreign, { kid: rsa.keyId }));

  test('of a share wait behind those of the same share: one of another is done long before a flood of 1,000 is', async () => {
    await keys.ready();
    let judgedOfFlood = 0;
    const [forged = ''] = forgedAlike(1);
    const flood = Array.from({ length: 1_000 }, async () => {
      expect(await keys.judge(forged, ['unverified', 'flooder'])).toBe('refuted');
      judgedOfFlood += 1;
    });
    expect(await keys.judge(signedBy(rsa), ['unverified', 'other'])).toBe('confirmed');
    expect(judgedOfFlood).toBeLessThan(50);
    await Promise.all(flood);
  });

  test('past 1,024 that wait are review_queue_full at once, for the longest share', async () => {
    await keys.ready();
    const [forged = ''] = forgedAlike(1);
    const flood = Array.from({ length: 1_500 }, () =>
      keys.judge(forged, ['unverified', 'flooder']).catch((error: unknown) => (error as Unavailability).code),
    );
    expect(await keys.judge(signedBy(rsa), ['unverified', 'other'])).toBe('confirmed');
    const judgements = await Promise.all(flood);
    expect(judgements.filter((one) => one === 'review_queue_full')).toHaveLength(1_500 - 3 - 1_024 + 1);
    expect(new Set(judgements)).toEqual(new Set(['refuted', 'review_queue_full']));
    expect(await keys.judge(forged)).toBe('refuted');
  });
});
