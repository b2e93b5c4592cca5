import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { addressBehind, isOneOf, socketAddress } from '../../src/express/peer-address.ts';

const from = (remoteAddress: string | undefined, headers: Record<string, string> = {}): IncomingMessage =>
  ({ socket: { remoteAddress }, headers }) as unknown as IncomingMessage;

describe('the other end of the connection', () => {
  test.each([
    ['10.0.0.7', '10.0.0.7'],
    ['::ffff:10.0.0.7', '10.0.0.7'],
    ['::FFFF:10.0.0.7', '10.0.0.7'],
    ['fd00::7', 'fd00::7'],
    ['fe80::7%eth0', 'fe80::7'],
    ['::fffe:10.0.0.7', '::fffe:10.0.0.7'],
    ['', undefined],
    [undefined, undefined],
    ['/run/orders.sock', undefined],
  ])('%j is %j', (remoteAddress, address) => {
    expect(socketAddress(from(remoteAddress, { 'x-forwarded-for': '1.2.3.4' }))).toBe(address);
  });

  test('is nobody where a request has no socket', () => {
    expect(socketAddress({ headers: {} } as IncomingMessage)).toBeUndefined();
  });
});

describe('behind proxies', () => {
  const behind = addressBehind({ proxies: ['10.9.0.1', '10.8.0.0/16', 'fd99::/16'] }, 'guard');
  test.each([
    ['10.9.0.1', '10.0.0.7', '10.0.0.7'],
    ['::ffff:10.9.0.1', '10.0.0.7', '10.0.0.7'],
    ['10.8.200.1', '10.0.0.7', '10.0.0.7'],
    ['fd99::1', 'fd00::7', 'fd00::7'],
    ['10.9.0.1', '1.2.3.4, 10.0.0.7', '10.0.0.7'],
    ['10.9.0.1', '1.2.3.4,10.0.0.7,10.8.0.3 , 10.9.0.1', '10.0.0.7'],
    ['10.9.0.1', '::ffff:10.0.0.7', '10.0.0.7'],
    ['10.9.0.1', '10.8.0.3', undefined],
    ['10.9.0.1', '', undefined],
    ['10.9.0.1', 'unknown', undefined],
    ['10.9.0.1', '10.0.0.7, unknown', undefined],
    ['10.9.0.1', '10.0.0.7,', undefined],
    ['10.9.0.1', '10.0.0.7:4711', undefined],
    ['10.9.0.1', '[fd00::7]', undefined],
    ['10.9.0.2', '10.0.0.7', '10.9.0.2'],
    ['10.0.0.7', '10.9.0.1', '10.0.0.7'],
  ])('%s with the header %j is %j', (remoteAddress, header, address) => {
    expect(behind(from(remoteAddress, { 'x-forwarded-for': header }))).toBe(address);
  });

  test('a proxy that says nothing is not taken for the caller', () => {
    expect(behind(from('10.9.0.1'))).toBeUndefined();
  });

  test('a request that has no socket comes from nobody', () => {
    expect(behind(from(undefined, { 'x-forwarded-for': '10.0.0.7' }))).toBeUndefined();
  });

  test.each([
    ['10.9.0.1/32', '10.9.0.1', '10.9.0.2'],
    ['fd99::1/128', 'fd99::1', 'fd99::2'],
    ['fd99::/64', 'fd99::ffff', 'fd99:0:0:1::1'],
  ])('the range %s has %s and not %s', (range, inside, outside) => {
    const inRange = addressBehind({ proxies: [range] }, 'guard');
    const headers = { 'x-forwarded-for': '10.0.0.7' };
    expect([inRange(from(inside, headers)), inRange(from(outside, headers))]).toEqual(['10.0.0.7', outside]);
  });

  test('the header may have another name', () => {
    const other = addressBehind({ proxies: ['10.9.0.1'], header: 'X-Real-IP' }, 'guard');
    expect(other(from('10.9.0.1', { 'x-real-ip': '10.0.0.7', 'x-forwarded-for': '1.1.1.1' }))).toBe('10.0.0.7');
  });

  test.each([
    [[], 'guard: expected at least one proxy, got none'],
    [['proxy.example.com'], 'guard: the proxy "proxy.example.com" is no IP address, and no range of them'],
    [['10.0.0.0/33'], '"10.0.0.0/33" is no IP'],
    [['10.0.0.0/'], '"10.0.0.0/" is no IP'],
    [['10.0.0.0/8/8'], '"10.0.0.0/8/8" is no IP'],
    [['10.0.0.0/0x8'], '"10.0.0.0/0x8" is no IP'],
    [['fd00::/129'], '"fd00::/129" is no IP'],
    [[''], '"" is no IP'],
  ])('%j throw where the guard is made', (proxies, message) => {
    expect(() => addressBehind({ proxies }, 'guard')).toThrow(message);
  });
});

test.each([
  [['10.0.0.7'], '10.0.0.7', true],
  [['10.0.0.7'], '10.0.0.8', false],
  [['10.0.0.7', 'fd00::7'], 'fd00::7', true],
  [['10.0.0.7', 'fd00::7'], 'FD00:0:0:0:0:0:0:7', true],
  [['FD00:0::7'], 'fd00::7', true],
  [['10.0.0.7'], '::ffff:a00:7', true],
  [['::ffff:10.0.0.7'], '10.0.0.7', true],
  [['10.0.0.7'], '::10.0.0.7', false],
  [['fd00::7'], 'fd00::17', false],
  [[], '10.0.0.7', false],
  [['nonsense'], '10.0.0.7', false],
])('%j have %s: %j', (addresses, wanted, has) => {
  expect(isOneOf(addresses, wanted)).toBe(has);
});
