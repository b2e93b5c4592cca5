import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** What a real kube-apiserver said of the token with these claims. */
export interface Recorded {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly status: object;
}

const schema = z.object({
  recordings: z.array(
    z.object({
      claims: z.record(z.string(), z.unknown()).optional(),
      status: z.unknown().optional(),
      httpStatus: z.number().optional(),
    }),
  ),
});

const file = new URL('../../fixtures/tokenreview-recordings.json', import.meta.url);

/** The recordings as they would be now, of tokens for this audience that have another hour. */
export function recordedFor(audience: string, now: number): Recorded[] {
  const text = readFileSync(file, 'utf8').replaceAll('https://kubernetes.default.svc.cluster.local', audience);
  const seconds = now / 1000;
  return schema
    .parse(JSON.parse(text))
    .recordings.flatMap(({ claims, status, httpStatus }) =>
      claims && typeof status === 'object' && status !== null && httpStatus === 201 ? [{ claims, status }] : [],
    )
    .map(({ claims, status }) => ({
      claims: { ...claims, ...('exp' in claims && { iat: seconds - 600, nbf: seconds - 600, exp: seconds + 3_600 }) },
      status,
    }));
}
