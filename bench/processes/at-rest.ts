import type { Authenticator } from 'k8s-service-account-auth';

/** The longest terms there are. No review begins for 400 s: fill the cache anew before that. */
export const longest = { maxAgeMs: 600_000, rejectionMaxAgeMs: 600_000 } as const;

/** @throws where reviews were begun by what was measured, so that it was not the cache alone */
export function mustBeAtRest(authenticator: Authenticator | undefined): void {
  const reviews = authenticator?.status().reviewsInFlight ?? 0;
  if (reviews > 0) throw new Error(`${reviews} tokens were being reviewed, whose terms had come near to their end`);
}
