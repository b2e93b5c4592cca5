import { expect, test } from '@jest/globals';
import { tokenKeys } from '../../src/authentication/token-key.ts';

test('gives equal tokens equal keys, and tokens that differ in one character different ones', () => {
  const keyOf = tokenKeys();
  expect(keyOf('header.payload.signature')).toBe(keyOf('header.payload.signature'));
  expect(keyOf('header.payload.signature')).not.toBe(keyOf('header.payload.signaturf'));
});

test('gives the same token another key in every process', () => {
  expect(tokenKeys()('token')).not.toBe(tokenKeys()('token'));
});

test('makes keys of one length that tell nothing of the token', () => {
  const keyOf = tokenKeys();
  expect(keyOf('t')).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  expect(keyOf('t'.repeat(8192))).toMatch(/^[A-Za-z0-9+/]{43}=$/);
});
