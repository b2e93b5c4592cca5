import { createSecretKey } from 'node:crypto';

import { accepted, authenticated, refused, refusedByNode, rejected, unauthenticated } from '../conformance/expected.ts';
import { podToken } from '../conformance/pod-token.ts';
import type { Scenario } from '../conformance/scenario.ts';

const bound = { pod: 'web-1', node: 'node-a' };
const wrongSignature = '[invalid bearer token, go-jose/go-jose: error in cryptographic primitive]';
/** We find out ourselves where the key is one that the cluster publishes. */
const forged = refused(wrongSignature, { code: 'token_forged' });
const notOurs = 'invalid bearer token';

/** The ordinary token, its text changed. */
function altered(alter: (token: string) => string): Scenario['situation'] {
  return async (scene) => ({ token: alter(await podToken(scene)) });
}

/** The ordinary token, its parts changed. */
function parts(
  change: (header: string, payload: string, signature: string) => readonly string[],
): Scenario['situation'] {
  return altered((token) => {
    const [header = '', payload = '', signature = ''] = token.split('.');
    return change(header, payload, signature).join('.');
  });
}

function decoded(part: string): string {
  return Buffer.from(part, 'base64url').toString();
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64url');
}

/** Another spelling of the same bytes: base64url of 256 bytes ends in a character of which 4 bits mean nothing. */
function respelled(part: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(part.at(-1) ?? '');
  return part.slice(0, -1) + alphabet[last + 1];
}

export const forgeries: readonly Scenario[] = [
  {
    name: 'signed by a key that the cluster does not know, under its key ID',
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), {}, { key: 'foreign' }) }),
    expected: forged,
  },
  {
    name: 'signed by a key that the cluster does not know, without a key ID: each key is tried',
    needsSecrets: true,
    situation: async (scene) => ({
      token: scene.resigned(await podToken(scene), {}, { key: 'foreign', header: { kid: undefined } }),
    }),
    expected: refused(wrongSignature),
  },
  {
    name: 'an unknown key ID',
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), {}, { header: { kid: 'unknown' } }) }),
    expected: refused('[invalid bearer token, invalid signature, no keys found]'),
  },
  {
    name: 'an empty key ID',
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), {}, { header: { kid: '' } }) }),
    expected: accepted(bound),
  },
  {
    name: "the second key's ID over the first one's signature",
    needsSecrets: true,
    situation: async (scene) => ({
      token: scene.resigned(await podToken(scene), {}, { header: { kid: scene.secrets.secondKeyId } }),
    }),
    expected: forged,
  },
  {
    name: 'alg none without a signature',
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), {}, { header: { alg: 'none' } }) }),
    expected: refused(wrongSignature, { code: 'token_malformed' }),
  },
  {
    name: 'alg none over the old signature',
    situation: parts((header, payload, signature) => [
      encoded(decoded(header).replace('RS256', 'none')),
      payload,
      signature,
    ]),
    expected: forged,
  },
  {
    name: 'HS256 with the public key as its secret',
    needsSecrets: true,
    situation: async (scene) => ({
      token: scene.resigned(await podToken(scene), {}, { key: scene.secrets.publicKey, header: { alg: 'HS256' } }),
    }),
    expected: forged,
  },
  {
    name: 'HS256 with an empty secret',
    needsSecrets: true,
    situation: async (scene) => ({
      token: scene.resigned(
        await podToken(scene),
        {},
        { key: createSecretKey(Buffer.alloc(0)), header: { alg: 'HS256' } },
      ),
    }),
    expected: forged,
  },
  {
    name: 'RS512 claimed over a signature by RS256',
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), {}, { header: { alg: 'RS512' } }) }),
    expected: forged,
  },
  {
    name: 'no algorithm',
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), {}, { header: { alg: undefined } }) }),
    expected: forged,
  },
  {
    name: 'a critical header that nobody knows',
    needsSecrets: true,
    situation: async (scene) => ({
      token: scene.resigned(await podToken(scene), {}, { header: { crit: ['exp'], exp: 1 } }),
    }),
    expected: forged,
  },
  {
    name: 'a header of its own key, which counts for nothing',
    needsSecrets: true,
    situation: async (scene) => ({
      token: scene.resigned(
        await podToken(scene),
        {},
        { key: 'foreign', header: { jwk: scene.secrets.publicKey.export({ format: 'jwk' }) } },
      ),
    }),
    expected: forged,
  },
  {
    name: 'a further header that nobody knows, which is fine',
    needsSecrets: true,
    situation: async (scene) => ({
      token: scene.resigned(await podToken(scene), {}, { header: { typ: 'JWT', x: [1, { y: null }] } }),
    }),
    expected: accepted(bound),
  },
  {
    name: 'another namespace in the claims',
    situation: parts((header, payload, signature) => [
      header,
      encoded(decoded(payload).replace('"namespace":"shop', '"namespace":"attic')),
      signature,
    ]),
    expected: forged,
  },
  {
    name: 'a later expiry in the claims',
    situation: parts((header, payload, signature) => [
      header,
      encoded(decoded(payload).replace(/"exp":\d+/, '"exp":9999999999')),
      signature,
    ]),
    expected: forged,
  },
  {
    name: 'one bit of the signature turned',
    situation: parts((header, payload, signature) => {
      const bytes = Buffer.from(signature, 'base64url');
      bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100);
      return [header, payload, bytes.toString('base64url')];
    }),
    expected: forged,
  },
  {
    name: 'the signature cut short',
    situation: parts((header, payload, signature) => [header, payload, signature.slice(0, 64)]),
    expected: forged,
  },
  {
    name: 'the signature twice',
    situation: parts((header, payload, signature) => [
      header,
      payload,
      signature.slice(0, 340) + signature.slice(0, 4),
    ]),
    expected: forged,
  },
  {
    name: 'no signature',
    situation: parts((header, payload) => [header, payload, '']),
    expected: refused(wrongSignature, { code: 'token_malformed' }),
  },
  {
    name: 'a signature in another spelling, which the API server takes and we do not',
    situation: parts((header, payload, signature) => [header, payload, respelled(signature)]),
    expected: { review: authenticated(bound), ...rejected('token_malformed') },
  },
  {
    name: 'a padded signature',
    situation: parts((header, payload, signature) => [header, payload, `${signature}==`]),
    expected: refused(notOurs, { code: 'token_malformed' }),
  },
  {
    name: 'base64 instead of base64url',
    situation: parts((header, payload, signature) => [
      header,
      payload,
      Buffer.from(signature, 'base64url').toString('base64').replace(/=+$/, '').replaceAll(/^./g, '+'),
    ]),
    expected: refused(notOurs, { code: 'token_malformed' }),
  },
  {
    name: 'a part too few',
    situation: parts((header, payload) => [header, payload]),
    expected: refused(notOurs, { code: 'token_malformed' }),
  },
  {
    name: 'a part too many',
    situation: parts((header, payload, signature) => [header, payload, signature, 'more']),
    expected: refused(notOurs, { code: 'token_malformed' }),
  },
  {
    name: 'a dot behind',
    situation: altered((token) => `${token}.`),
    expected: refused(notOurs, { code: 'token_malformed' }),
  },
  {
    name: 'a dot before',
    situation: altered((token) => `.${token}`),
    expected: refused(notOurs, { code: 'token_malformed' }),
  },
  {
    name: 'a dot in the middle of the claims',
    situation: parts((header, payload, signature) => [header, payload.slice(0, 40), payload.slice(40), signature]),
    expected: refused(notOurs, { code: 'token_malformed' }),
  },
  {
    name: 'twice in a row',
    situation: altered((token) => `${token}${token}`),
    expected: refused(notOurs, { code: 'token_malformed' }),
  },
  {
    name: 'half of it',
    situation: altered((token) => token.slice(0, token.length / 2)),
    expected: refused(notOurs, { code: 'token_malformed' }),
  },
  {
    name: 'in capitals',
    situation: altered((token) => token.toUpperCase()),
    expected: refused(notOurs, { code: 'token_malformed' }),
  },
  {
    name: 'backwards',
    situation: altered((token) => token.split('').toReversed().join('')),
    expected: refused(notOurs, { code: 'token_malformed' }),
  },
  {
    name: 'garbage',
    situation: () => Promise.resolve({ token: 'garbage' }),
    expected: refused(notOurs, { code: 'token_malformed' }),
  },
  {
    name: 'three empty parts',
    situation: () => Promise.resolve({ token: '..' }),
    expected: refused(notOurs, { code: 'token_malformed' }),
  },
  {
    name: 'dots only',
    situation: () => Promise.resolve({ token: '...............' }),
    expected: refused(notOurs, { code: 'token_malformed' }),
  },
  {
    name: '9 kB of garbage',
    situation: () => Promise.resolve({ token: 'x'.repeat(9_000) }),
    expected: { review: unauthenticated(notOurs), ...rejected('token_too_long') },
  },
  {
    name: 'encrypted (a JWE in five parts)',
    situation: () => Promise.resolve({ token: `${encoded('{"alg":"RSA-OAEP","enc":"A128GCM"}')}.YQ.YQ.YQ.YQ` }),
    expected: refused(notOurs, { code: 'token_malformed' }),
  },
  {
    name: 'claims that are no object',
    needsSecrets: true,
    situation: (scene) => Promise.resolve({ token: scene.secrets.sign([1, 2]) }),
    expected: refused(notOurs, { code: 'token_malformed' }),
  },
  {
    name: 'an array as its header',
    situation: parts((_header, payload, signature) => [encoded('[]'), payload, signature]),
    expected: refused(notOurs, { code: 'token_malformed' }),
  },
  {
    name: 'no claims of Kubernetes',
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), { 'kubernetes.io': undefined }) }),
    expected: refused('[invalid bearer token, resource name may not be empty]'),
  },
  {
    name: 'empty claims of Kubernetes',
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), { 'kubernetes.io': {} }) }),
    expected: refused('[invalid bearer token, resource name may not be empty]', { code: 'token_malformed' }),
  },
  {
    name: 'another subject than its ServiceAccount: the API server does not look at it',
    needsSecrets: true,
    situation: async (scene) => ({
      token: scene.resigned(await podToken(scene), { sub: 'system:serviceaccount:kube-system:root' }),
    }),
    expected: accepted(bound),
  },
  {
    name: 'the name of a ServiceAccount that does not exist',
    needsSecrets: true,
    situation: async (scene) => ({
      token: scene.resigned(await podToken(scene), {
        'kubernetes.io': { namespace: scene.namespace, serviceaccount: { name: 'nobody', uid: 'none' } },
      }),
    }),
    expected: refused('[invalid bearer token, serviceaccounts "nobody" not found]'),
  },
  {
    name: 'the name of a Pod that does not exist',
    needsSecrets: true,
    situation: async (scene) => {
      const serviceAccount = await scene.serviceAccount();
      return {
        token: scene.resigned(await podToken(scene), {
          'kubernetes.io': {
            namespace: scene.namespace,
            serviceaccount: { name: 'web', uid: serviceAccount.uid },
            pod: { name: 'nobody', uid: 'none' },
          },
        }),
      };
    },
    expected: refused('[invalid bearer token, service account token has been invalidated]'),
  },
  {
    name: 'a namespace that does not exist',
    needsSecrets: true,
    situation: async (scene) => {
      const serviceAccount = await scene.serviceAccount();
      return {
        token: scene.resigned(await podToken(scene), {
          'kubernetes.io': { namespace: 'nowhere', serviceaccount: { name: 'web', uid: serviceAccount.uid } },
        }),
      };
    },
    expected: refused('[invalid bearer token, serviceaccounts "web" not found]'),
  },
  {
    name: 'no credential ID: the answer then has none',
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), { jti: undefined }) }),
    expected: accepted({ ...bound, hasCredentialId: false }),
  },
  {
    name: 'a line break within, which the API server overlooks and no header can hold',
    situation: async (scene) => {
      const token = await podToken(scene);
      return { authorization: [`Bearer ${token.slice(0, 50)}\n${token.slice(50)}`] };
    },
    expected: { review: authenticated(bound), ...refusedByNode },
  },
];
