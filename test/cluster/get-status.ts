import http from 'node:http';
import https from 'node:https';

const TIMEOUT_MS = 5000;

/** The HTTP status of a GET, or `undefined` where there is no answer (nobody listens yet, TLS fails, a timeout). */
export async function getStatus(
  url: string,
  { ca, token }: { ca?: string; token?: string } = {},
): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const options = {
    agent: false,
    timeout: TIMEOUT_MS,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  };
  const request = url.startsWith('https:')
    ? https.get(url, { ...options, ...(ca === undefined ? {} : { ca }) })
    : http.get(url, options);
  request.once('response', (response) => {
    response.resume();
    resolve(response.statusCode);
  });
  request.once('timeout', () => request.destroy());
  request.once('error', () => resolve(undefined));
  request.once('close', () => resolve(undefined));
  return promise;
}
