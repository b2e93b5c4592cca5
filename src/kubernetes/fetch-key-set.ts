import { Unavailability } from '../authentication/reviewer.ts';
import type { ApiServer } from './api-server.ts';
import { withDeadline } from './deadline.ts';

/** The `jwks_uri` of the discovery document is often out of reach from inside a cluster; the API server itself is not. */
const path = '/openid/v1/jwks';
/** It answers 406 to `application/json`. */
const mediaType = 'application/jwk-set+json';
/**
 * The key set that the API server publishes, unchecked.
 *
 * @throws {Unavailability} where there is no answer within the time, or not this one
 */
export async function fetchKeySet(apiServer: ApiServer, timeoutMs: number): Promise<unknown> {
  const { status, body } = await withDeadline(timeoutMs, 0, ({ signal }) => apiServer.get(path, mediaType, signal));
  if (status !== 200) throw new Unavailability('api_server_error', `HTTP ${status} for ${path}`);
  return JSON.parse(body) as unknown;
}
