import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv4 } from 'node:net';

/** Proxies whose word on where a request comes from is taken. */
export interface TrustedProxies {
  /** Their addresses, or ranges of them: `10.0.0.7`, `10.1.0.0/16`, `fd00::/8`. */
  readonly proxies: readonly string[];
  /** Default: `X-Forwarded-For`. */
  readonly header?: string;
}

/** Tells from which address a request comes; `undefined` where nobody can say. */
export type PeerAddress = (req: IncomingMessage) => string | undefined;

/** The other end of the connection, whatever any header says. */
export const socketAddress: PeerAddress = (req) => {
  const { socket } = req as { readonly socket?: IncomingMessage['socket'] };
  return address(socket?.remoteAddress);
};

/**
 * The other end of the connection; where that is one of the proxies, the last address in their header that is none of
 * theirs. What comes before that one anybody can have written.
 *
 * @throws {TypeError} for no proxies, or one that is no address or range
 */
export function addressBehind({ proxies, header = 'X-Forwarded-For' }: TrustedProxies, guardName: string): PeerAddress {
  const trusted = addressList(proxies, guardName);
  const name = header.toLowerCase();
  return (req) => {
    const near = socketAddress(req);
    if (near === undefined || !isIn(trusted, near)) return near;
    const hops = String(req.headers[name] ?? '').split(',');
    for (const hop of hops.toReversed()) {
      const far = address(hop.trim());
      if (far === undefined || !isIn(trusted, far)) return far;
    }
    return undefined;
  };
}

/** Whether an address is one of these, however they are written: IPv6 in any form, IPv4 mapped into IPv6. */
export function isOneOf(addresses: readonly string[], wanted: string): boolean {
  if (addresses.includes(wanted)) return true;
  const list = new BlockList();
  for (const one of addresses) if (isIP(one) !== 0) list.addAddress(one, familyOf(one));
  return isIn(list, wanted);
}

function addressList(ranges: readonly string[], guardName: string): BlockList {
  if (ranges.length === 0) throw new TypeError(`${guardName}: expected at least one proxy, got none`);
  const list = new BlockList();
  for (const range of ranges) {
    const [base = '', bits, ...more] = range.split('/');
    const largest = isIP(base) === 6 ? 128 : 32;
    const isRange = bits !== undefined && /^\d{1,3}$/.test(bits) && Number(bits) <= largest;
    if (isIP(base) === 0 || more.length > 0 || (bits !== undefined && !isRange)) {
      throw new TypeError(`${guardName}: the proxy ${JSON.stringify(range)} is no IP address, and no range of them`);
    }
    if (bits === undefined) list.addAddress(base, familyOf(base));
    else list.addSubnet(base, Number(bits), familyOf(base));
  }
  return list;
}

const isIn = (list: BlockList, one: string): boolean => list.check(one, familyOf(one));

const familyOf = (one: string): 'ipv4' | 'ipv6' => (isIP(one) === 6 ? 'ipv6' : 'ipv4');

const mappedPrefix = '::ffff:';

/** An IP address without its zone, IPv4 as such where a dual-stack socket maps it into IPv6; `undefined` for what is none. */
function address(text = ''): string | undefined {
  const plain = text.replace(/%.*/, '');
  const mapped = plain.slice(mappedPrefix.length);
  if (isIPv4(mapped) && plain.toLowerCase().startsWith(mappedPrefix)) return mapped;
  return isIP(plain) === 0 ? undefined : plain;
}
