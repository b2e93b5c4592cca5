import type { Request } from 'express';

/**
 * The path of a request as Express matched it, the paths of its routers included, for questions about paths. Each
 * segment is decoded, as handlers see it in `req.params`; a trailing slash, which Express' routes do not care about, is
 * left out. One of several stays: without it `/reports//`, which is `/reports` to a route, would be a path below that.
 */
export function requestPath({ baseUrl, path }: Pick<Request, 'baseUrl' | 'path'>): string {
  const whole = baseUrl + path;
  const trimmed = /[^/]\/$/.test(whole) ? whole.slice(0, -1) : whole;
  return trimmed.split('/').map(decodedSegment).join('/');
}

/** What does not decode, or hides a slash, stays as it is: with its `%` it can be no question. */
function decodedSegment(segment: string): string {
  try {
    const decoded = decodeURIComponent(segment);
    return decoded.includes('/') ? segment : decoded;
  } catch {
    return segment;
  }
}
