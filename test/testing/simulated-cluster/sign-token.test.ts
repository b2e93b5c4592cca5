import { createHmac, createSecretKey, generateKeyPairSync } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { signToken } from '../../../src/testing/simulated-cluster/sign-token.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

test('`none` leaves the signature empty', () => {
  expect(signToken({ alg: 'none' }, {}, privateKey)).toBe('eyJhbGciOiJub25lIn0.e30.');
});

test.each([
  ['a secret', createSecretKey(Buffer.from('secret')), 'secret'],
  ['the PEM of a public key', publicKey, publicKey.export({ type: 'spki', format: 'pem' })],
  ['the PEM of a private key', privateKey, privateKey.export({ type: 'pkcs8', format: 'pem' })],
])('HS256 signs with %s', (_, key, secret) => {
  const [header, claims, signature] = signToken({ alg: 'HS256' }, {}, key).split('.');
  expect(signature).toBe(createHmac('sha256', secret).update(`${header}.${claims}`).digest('base64url'));
});
