import { isIPv4, isIPv6 } from 'node:net';

/** Longer than any address; whatever else a caller of ours hands in is cut to it. */
const maxLength = 64;
const mappedPrefix = '::ffff:';

/**
 * Who sent a token, as budgets and shares know it: an IPv4 address, or the /64 network of an IPv6 one, since whoever has
 * one of its addresses has them all (RFC 7421). A dual-stack socket shows IPv4 addresses mapped into IPv6 (RFC 4291
 * section 2.5.5.2). Nobody in particular is `''`.
 */
export function peerOf(address: string | undefined): string {
  if (address === undefined) return '';
  const mapped = address.slice(mappedPrefix.length);
  if (isIPv4(mapped) && address.toLowerCase().startsWith(mappedPrefix)) return mapped;
  return isIPv6(address) ? `${network(address)}::/64` : address.slice(0, maxLength);
}

function network(address: string): string {
  const halves = address.replace(/%.*/, '').split('::');
  const [left = [], right = []] = halves.map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
