import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { peerOf } from '../../src/authentication/peer.ts';

test.each([
  ['an IPv4 address is itself', '10.0.0.7', '10.0.0.7'],
  ['an IPv4 address mapped into IPv6 is the IPv4 address', '::ffff:10.0.0.7', '10.0.0.7'],
  ['in capitals too', '::FFFF:10.0.0.7', '10.0.0.7'],
  ['an IPv6 address is its /64 network', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['one with zeros left out too', '2001:db8::7', '2001:db8:0:0::/64'],
  ['one with zeros left out at its end too', '2001:db8:1:2::', '2001:db8:1:2::/64'],
  ['one with zeros left out within its network', '2001::2:3:4:5:6:7', '2001:0:2:3::/64'],
  ['one that is nearly mapped', '::fffe:10.0.0.7', '0:0:0:0::/64'],
  ['one that ends as a mapped one does', 'fd00::ffff:10.0.0.7', 'fd00:0:0:0::/64'],
  ['one that ends in an IPv4 address', '64:ff9b::10.0.0.7', '64:ff9b:0:0::/64'],
  ['one with leading zeros and capitals is no other', '2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
  ['the loopback address', '::1', '0:0:0:0::/64'],
  ['a link-local address with its zone', 'fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['one with a zone that looks like more of it', 'fe80::1%1:2:3:4:5:6:7:8:9', 'fe80:0:0:0::/64'],
  ['what is no address is taken as it is', 'unix:', 'unix:'],
  ['nobody in particular', undefined, ''],
])('%s: %s', (_, address, peer) => {
  expect(peerOf(address)).toBe(peer);
});

test('all addresses of a /64 network are one peer, and those of another network another', () => {
  const group = fc.integer({ min: 0, max: 0xff_ff }).map((number) => number.toString(16));
  const four = fc.array(group, { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(four, four, four, four, (network, other, host, sibling) => {
      const peer = peerOf([...network, ...host].join(':'));
      expect(peerOf([...network, ...sibling].join(':'))).toBe(peer);
      expect(peerOf([...other, ...host].join(':')) === peer).toBe(network.join() === other.join());
    }),
  );
});

test('is small, whatever it is made of', () => {
  expect(peerOf('x'.repeat(100_000)).length).toBeLessThanOrEqual(64);
  fc.assert(fc.property(fc.ipV6(), (address) => peerOf(address).length <= 64));
});
