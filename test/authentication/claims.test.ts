import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { unverifiedClaims } from '../../src/authentication/claims.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { base64url, podClaims, unsignedToken } from '../support/tokens.ts';

const clock = new FakeClock();
const parts = (token: string): [string, string, string] => token.split('.') as [string, string, string];
const withPayload = (json: string | Uint8Array): string => `${base64url('{"alg":"RS256"}')}.${base64url(json)}.AAAA`;

test('reads the claims of a Pod-bound token', () => {
  const now = clock.now() / 1000;
  expect(unverifiedClaims(unsignedToken(podClaims(clock)))).toEqual({
    audiences: ['orders'],
    exp: now + 3_600,
    nbf: now - 600,
    iat: now - 600,
    jti: 'credential-1',
    serviceAccount: {
      namespace: 'shop',
      name: 'web',
      uid: 'uid-of-web',
      pod: { name: 'web-1', uid: 'uid-of-web-1' },
      node: { name: 'node-a', uid: 'uid-of-node-a' },
      secret: undefined,
    },
  });
});

test('reads the claims of a token bound to a Node without its uid, and of one bound to a Secret', () => {
  const serviceaccount = { name: 'web', uid: 'u' };
  const node = { 'kubernetes.io': { namespace: 'shop', serviceaccount, node: { name: 'node-a' } } };
  const secret = { 'kubernetes.io': { namespace: 'shop', serviceaccount, secret: { name: 's', uid: 'su' } } };
  expect(unverifiedClaims(unsignedToken(node))?.serviceAccount?.node).toEqual({ name: 'node-a', uid: undefined });
  expect(unverifiedClaims(unsignedToken(secret))?.serviceAccount?.secret).toEqual({ name: 's', uid: 'su' });
});

const legacy = {
  'kubernetes.io/serviceaccount/namespace': 'shop',
  'kubernetes.io/serviceaccount/service-account.name': 'web',
  'kubernetes.io/serviceaccount/service-account.uid': 'uid-of-web',
  'kubernetes.io/serviceaccount/secret.name': 'web-token',
};

test('reads the claims of a legacy Secret token, which has no times and no audience', () => {
  expect(unverifiedClaims(unsignedToken(legacy))).toEqual({
    audiences: undefined,
    exp: undefined,
    nbf: undefined,
    iat: undefined,
    jti: undefined,
    serviceAccount: {
      namespace: 'shop',
      name: 'web',
      uid: 'uid-of-web',
      pod: undefined,
      node: undefined,
      secret: { name: 'web-token', uid: undefined },
    },
  });
});

test.each(Object.keys(legacy))('sees no ServiceAccount in a legacy token without %s', (missing) => {
  const { [missing as keyof typeof legacy]: _, ...rest } = legacy;
  expect(unverifiedClaims(unsignedToken(rest))).toMatchObject({ serviceAccount: undefined });
});

test('believes the claims of a bound token, where a token makes the legacy claims too', () => {
  const both = { ...legacy, ...podClaims(clock), 'kubernetes.io/serviceaccount/namespace': 'kube-system' };
  expect(unverifiedClaims(unsignedToken(both))?.serviceAccount?.namespace).toBe('shop');
});

test('reads an audience that is a string as a list of one', () => {
  expect(unverifiedClaims(unsignedToken({ aud: 'orders' }))?.audiences).toEqual(['orders']);
  expect(unverifiedClaims(unsignedToken({ aud: [] }))?.audiences).toEqual([]);
});

describe('is no JWT:', () => {
  const [header, payload, signature] = parts(unsignedToken(podClaims(clock)));
  test.each([
    ['one part', header],
    ['two parts', `${header}.${payload}`],
    ['four parts', `${header}.${payload}.${signature}.${signature}`],
    ['five parts, a JWE', `${header}.${payload}.${signature}.${payload}.${signature}`],
    ['an empty signature, as `alg: none` has it', `${header}.${payload}.`],
    ['an empty payload', `${header}..${signature}`],
    ['an empty header', `.${payload}.${signature}`],
    ['dots alone', '..'],
    ['nothing', ''],
    ['padding', `${header}.${payload}.${Buffer.alloc(256).toString('base64')}`],
    ['the alphabet of plain base64', `${header}.${payload}.++//`],
    ['a character that base64url ignores', `${header}.${payload}.AA~A`],
    ['a single character, which encodes nothing', `${header}.${payload}.A`],
    ['a header with a space', `${header.slice(0, 4)} ${header.slice(4)}.${payload}.${signature}`],
    ['a header that is a list', `${base64url('[]')}.${payload}.${signature}`],
    ['a header that is null', `${base64url('null')}.${payload}.${signature}`],
    ['a header that is a number', `${base64url('1')}.${payload}.${signature}`],
    ['a header that is a string', `${base64url('"{}"')}.${payload}.${signature}`],
    ['a header that is no JSON', `${base64url('{alg}')}.${payload}.${signature}`],
  ])('%s', (_, token) => {
    expect(unverifiedClaims(`${header}.${payload}.${signature}`)).toBeDefined();
    expect(unverifiedClaims(token)).toBeUndefined();
  });

  test('15 of the 16 spellings of an RSA signature', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(signature.slice(-1));
    const spellings = Array.from(
      { length: 16 },
      (_, unusedBits) => signature.slice(0, -1) + (alphabet[(last & 0b110000) + unusedBits] ?? ''),
    );
    const bytes = Buffer.from(signature, 'base64url');
    expect(bytes).toHaveLength(256);
    expect(spellings.every((spelling) => Buffer.from(spelling, 'base64url').equals(bytes))).toBe(true);
    const accepted = spellings.filter((spelling) => unverifiedClaims(`${header}.${payload}.${spelling}`));
    expect(accepted).toEqual([signature]);
  });

  test.each([
    ['null', 'null'],
    ['a list', '[{}]'],
    ['a number', '1'],
    ['a string', '"{}"'],
    ['half an object', '{"aud":'],
    ['nothing', ' '],
    ['an object behind a byte order mark, which RFC 8259 section 8.1 does not allow', '\ufeff{}'],
    ['invalid UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)],
    ['exp as a string', '{"exp":"1800000000"}'],
    ['exp as null', '{"exp":null}'],
    ['exp beyond all numbers', '{"exp":1e999}'],
    ['exp as NaN', '{"exp":NaN}'],
    ['nbf as a list', '{"nbf":[1]}'],
    ['iat as a boolean', '{"iat":true}'],
    ['aud as a number', '{"aud":1}'],
    ['aud as a list with a number', '{"aud":["orders",1]}'],
    ['aud as an object', '{"aud":{"0":"orders"}}'],
    ['jti as a number', '{"jti":1}'],
    ['jti beyond 256 characters', JSON.stringify({ jti: 'j'.repeat(257) })],
    ['kubernetes.io as a string', '{"kubernetes.io":"shop"}'],
    ['a ServiceAccount without uid', '{"kubernetes.io":{"namespace":"shop","serviceaccount":{"name":"web"}}}'],
    [
      'a Pod without uid',
      '{"kubernetes.io":{"namespace":"shop","serviceaccount":{"name":"web","uid":"u"},"pod":{"name":"p"}}}',
    ],
    ['an empty namespace', '{"kubernetes.io":{"namespace":"","serviceaccount":{"name":"web","uid":"u"}}}'],
  ])('a payload that is %s', (_, json) => {
    expect(unverifiedClaims(withPayload(json))).toBeUndefined();
  });
});

test('reads a jti of 256 characters', () => {
  expect(unverifiedClaims(unsignedToken({ jti: 'j'.repeat(256) }))?.jti).toHaveLength(256);
});

test('takes no claim from a `__proto__` key', () => {
  const claims = unverifiedClaims(withPayload('{"__proto__":{"exp":1,"aud":"orders"},"constructor":{"exp":2}}'));
  expect(claims).toEqual({
    audiences: undefined,
    exp: undefined,
    nbf: undefined,
    iat: undefined,
    jti: undefined,
    serviceAccount: undefined,
  });
  expect(({} as { exp?: unknown }).exp).toBeUndefined();
});

test('never throws, whatever the parts hold', () => {
  const part = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.uint8Array({ maxLength: 30 }).map((bytes) => base64url(bytes)),
    fc.json().map((json) => base64url(json)),
  );
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (all) => {
      const claims = unverifiedClaims(all.join('.'));
      return claims === undefined || all.join('.').split('.').length === 3;
    }),
    { numRuns: 1_000 },
  );
});
