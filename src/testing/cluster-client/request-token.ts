import { z } from 'zod';
import type { Caller } from './object-handle.ts';
import type { ServiceAccountTokenOptions } from './token-options.ts';

const answer = z.object({ status: z.object({ token: z.string() }) });

/** A TokenRequest; `path` is that of the ServiceAccount. */
export async function requestToken(
  call: Caller,
  path: string,
  { audiences, expirationSeconds, boundTo }: ServiceAccountTokenOptions,
): Promise<string> {
  const { body } = await call('POST', `${path}/token`, {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    spec: {
      audiences: typeof audiences === 'string' ? [audiences] : audiences,
      expirationSeconds,
      ...(boundTo && {
        boundObjectRef: { kind: boundTo.kind, apiVersion: 'v1', name: boundTo.name, uid: boundTo.uid },
      }),
    },
  });
  return answer.parse(body).status.token;
}
