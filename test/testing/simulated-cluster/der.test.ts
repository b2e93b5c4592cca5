import { expect, test } from '@jest/globals';
import * as der from '../../../src/testing/simulated-cluster/der.ts';

test.each([
  [127, '047f'],
  [128, '048180'],
  [255, '0481ff'],
  [256, '04820100'],
  [65_535, '0482ffff'],
])('%i bytes of content have the length octets of X.690, section 8.1.3', (size, head) => {
  expect(
    der
      .octetString(Buffer.alloc(size))
      .subarray(0, head.length / 2)
      .toString('hex'),
  ).toBe(head);
});

test('an integer whose first bit is set gets a zero octet, so that it stays positive', () => {
  expect(der.integer(Buffer.from([0x80])).toString('hex')).toBe('02020080');
  expect(der.integer(Buffer.from([0x7f])).toString('hex')).toBe('02017f');
});

test('object identifiers use base-128 arcs', () => {
  expect(der.objectIdentifier('1.2.840.10045.4.3.2').toString('hex')).toBe('06082a8648ce3d040302');
});

test('a time is a GeneralizedTime in UTC', () => {
  expect(der.time(new Date('2026-11-23T20:51:21.999Z')).subarray(2).toString()).toBe('20261123205121Z');
});
