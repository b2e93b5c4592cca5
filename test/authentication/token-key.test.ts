import { expect, jest, test } from '@jest/globals';
import { tokenKeys } from '../../src/authentication/token-key.ts';

test('gives equal tokens equal keys, and tokens that differ in one character different ones', () => {
  const keyOf = tokenKeys();
  expect(keyOf('header.payload.signature')).toBe(keyOf('header.payload.signature'));
  expect(keyOf('header.payload.signature')).not.toBe(keyOf('header.payload.signaturf'));
});

/** Memory may hold anything when it is given out: here it holds nothing. */
const inCleanMemory = (): jest.Spied<typeof Buffer.allocUnsafeSlow> & Disposable =>
  jest.spyOn(Buffer, 'allocUnsafeSlow').mockImplementation((size) => Buffer.alloc(size));

test('gives the same token another key in every process', () => {
  using _ = inCleanMemory();
  expect(tokenKeys()('token')).not.toBe(tokenKeys()('token'));
});

test('leaves no token in the memory that it hashes in', () => {
  using allocate = inCleanMemory();
  const keyOf = tokenKeys();
  const [memory] = allocate.mock.results.map(({ value }) => value as Buffer);
  for (const token of ['a-first-token', 'token-2']) keyOf(token);
  expect(memory?.length).toBeGreaterThan(8192);
  expect(memory?.includes('token')).toBe(false);
});

test('makes keys of one length that tell nothing of the token', () => {
  const keyOf = tokenKeys();
  expect(keyOf('t')).toHaveLength(32);
  expect(keyOf('t'.repeat(8192))).toHaveLength(32);
  expect(keyOf('token')).not.toContain('token');
});

test('keeps nothing of a token for the next one, and tells tokens of any text apart', () => {
  const keyOf = tokenKeys();
  const tokens = ['token', 'tokenx', 'toke', '', 'tökén', 'to\u0000en', 't\u{1f511}', 'token'.repeat(100)];
  const keys = tokens.map((token) => keyOf(token));
  expect(new Set(keys).size).toBe(tokens.length);
  expect(tokens.toReversed().map((token) => keyOf(token))).toEqual(keys.toReversed());
});

test('takes nothing that is longer than any token', () => {
  expect(() => tokenKeys()('t'.repeat(8193))).toThrow(RangeError);
});
