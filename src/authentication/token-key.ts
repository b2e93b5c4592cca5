import { hash, randomBytes } from 'node:crypto';
import { maxTokenLength } from './bearer-token.ts';

const prefixBytes = 32;
/** UTF-8 has at most three bytes for one UTF-16 code unit. */
const mostBytes = prefixBytes + 3 * maxTokenLength;

/**
 * Makes the function that turns tokens, of at most `maxTokenLength`, into cache keys: a hash under a prefix that is random
 * for each process, so that nobody outside can predict a key, and no key tells anything about a token.
 */
export function tokenKeys(): (token: string) => string {
  // The same bytes each time, and a view of them for each length: prefix and token put together as a string would leave a
  // kilobyte of garbage for each request, and take longer.
  const bytes = Buffer.allocUnsafeSlow(mostBytes);
  randomBytes(prefixBytes).copy(bytes);
  const views = new Map<number, Uint8Array>();
  return (token) => {
    if (token.length > maxTokenLength) throw new RangeError('This is longer than any token');
    const length = prefixBytes + bytes.write(token, prefixBytes);
    let view = views.get(length);
    if (view === undefined) {
      view = bytes.subarray(0, length);
      views.set(length, view);
    }
    // A character for each byte: there is no shorter string.
    const key = hash('sha256', view, 'binary');
    // No token stays in memory for longer than it is needed.
    view.fill(0, prefixBytes);
    return key;
  };
}
