import { z } from 'zod';
import { goTypeOf } from './go-type.ts';

export interface PublicClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: readonly string[];
  /** Seconds since the epoch, as are `nbf` and `iat`. */
  readonly exp: number | undefined;
  readonly nbf: number | undefined;
  readonly iat: number | undefined;
  readonly jti: string;
}

export interface BoundClaims extends PublicClaims {
  readonly 'kubernetes.io': {
    readonly namespace: string;
    readonly serviceaccount: Ref;
    readonly pod?: Ref | null | undefined;
    readonly secret?: Ref | null | undefined;
    readonly node?: Ref | null | undefined;
  };
}

/** Of a token that lives in a Secret. */
export interface LegacyClaims extends PublicClaims {
  readonly 'kubernetes.io/serviceaccount/namespace': string;
  readonly 'kubernetes.io/serviceaccount/secret.name': string;
  readonly 'kubernetes.io/serviceaccount/service-account.name': string;
  readonly 'kubernetes.io/serviceaccount/service-account.uid': string;
}

export interface Ref {
  readonly name: string;
  readonly uid: string;
}

/** A claim of another type than Kubernetes decodes it into; the message is go-jose's. */
export class ClaimTypeError extends Error {}

/** Throws a ClaimTypeError. */
export function parseBoundClaims(claims: unknown): BoundClaims {
  return parsed(boundClaims, claims);
}

/** Throws a ClaimTypeError. */
export function parseLegacyClaims(claims: unknown): LegacyClaims {
  return parsed(legacyClaims, claims);
}

const text = z
  .string({ error: ({ input }) => `json: cannot unmarshal ${goTypeOf(input)} into Go value of type string` })
  .nullish()
  .transform((value) => value ?? '');

const seconds = z
  .number({ error: 'go-jose/go-jose/jwt: expected number value to unmarshal NumericDate' })
  .nullish()
  .transform((value) => (typeof value === 'number' ? Math.trunc(value) : undefined));

const audience = z
  .union([z.string().transform((one) => [one]), z.array(z.string())], {
    error: 'go-jose/go-jose/jwt: expected string or array value to unmarshal to Audience',
  })
  .optional()
  .transform((value) => value ?? []);

const publicClaims = { iss: text, sub: text, aud: audience, exp: seconds, nbf: seconds, iat: seconds, jti: text };
const ref = z.object({ name: text, uid: text });
const NO_REF: Ref = { name: '', uid: '' };

const boundClaims: z.ZodType<BoundClaims> = z.object({
  ...publicClaims,
  'kubernetes.io': z
    .object({
      namespace: text,
      serviceaccount: ref.nullish().transform((value) => value ?? NO_REF),
      pod: ref.nullish(),
      secret: ref.nullish(),
      node: ref.nullish(),
      warnafter: seconds,
    })
    .nullish()
    .transform((value) => value ?? { namespace: '', serviceaccount: NO_REF }),
});

const legacyClaims: z.ZodType<LegacyClaims> = z.object({
  ...publicClaims,
  'kubernetes.io/serviceaccount/namespace': text,
  'kubernetes.io/serviceaccount/secret.name': text,
  'kubernetes.io/serviceaccount/service-account.name': text,
  'kubernetes.io/serviceaccount/service-account.uid': text,
});

function parsed<T>(schema: z.ZodType<T>, claims: unknown): T {
  const result = schema.safeParse(claims);
  if (!result.success) throw new ClaimTypeError(result.error.issues[0]?.message);
  return result.data;
}
