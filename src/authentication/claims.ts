import { z } from 'zod';
import { listOfStrings } from './list-of-strings.ts';

const nonEmpty = z.string().min(1);
const objectReference = z.object({ name: nonEmpty, uid: nonEmpty });

const payloadSchema = z.object({
  aud: z.union([z.string(), listOfStrings]).optional(),
  exp: z.number().optional(),
  nbf: z.number().optional(),
  iat: z.number().optional(),
  // Kubernetes' are UUIDs; the bound keeps remembered rejections small.
  jti: z.string().max(256).optional(),
  'kubernetes.io': z
    .object({
      namespace: nonEmpty,
      serviceaccount: objectReference,
      pod: objectReference.optional(),
      node: z.object({ name: nonEmpty, uid: nonEmpty.optional() }).optional(),
      secret: objectReference.optional(),
    })
    .optional(),
  'kubernetes.io/serviceaccount/namespace': nonEmpty.optional(),
  'kubernetes.io/serviceaccount/service-account.name': nonEmpty.optional(),
  'kubernetes.io/serviceaccount/service-account.uid': nonEmpty.optional(),
  'kubernetes.io/serviceaccount/secret.name': nonEmpty.optional(),
});

/** What a ServiceAccount token claims of its ServiceAccount and of the object it is bound to. */
export interface ServiceAccountClaims {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly pod: { readonly name: string; readonly uid: string } | undefined;
  readonly node: { readonly name: string; readonly uid: string | undefined } | undefined;
  readonly secret: { readonly name: string; readonly uid: string | undefined } | undefined;
}

/** What a JWT claims, in its own units (seconds). Nobody has verified any of it. */
export interface UnverifiedClaims {
  /** `undefined` where the token names no audience at all, as legacy Secret tokens do. */
  readonly audiences: readonly string[] | undefined;
  readonly exp: number | undefined;
  readonly nbf: number | undefined;
  readonly iat: number | undefined;
  readonly jti: string | undefined;
  readonly serviceAccount: ServiceAccountClaims | undefined;
}

/**
 * The claims of a token that has the shape of a JWS in compact serialization (RFC 7515 section 3.1), else `undefined`.
 * Only *canonical* base64url is such a shape: an RSA signature has 16 accepted spellings otherwise, each a cache key
 * and a review of its own.
 */
export function unverifiedClaims(token: string): UnverifiedClaims | undefined {
  const [header, payload, signature, ...more] = token.split('.');
  if (header === undefined || payload === undefined || !signature || more.length > 0) return undefined;
  if (decoded(signature) === undefined || jsonObject(header) === undefined) return undefined;
  const parsed = payloadSchema.safeParse(jsonObject(payload));
  if (!parsed.success) return undefined;
  const { aud, exp, nbf, iat, jti } = parsed.data;
  const audiences = typeof aud === 'string' ? [aud] : aud;
  return { audiences, exp, nbf, iat, jti, serviceAccount: serviceAccountClaims(parsed.data) };
}

function serviceAccountClaims(payload: z.infer<typeof payloadSchema>): ServiceAccountClaims | undefined {
  const bound = payload['kubernetes.io'];
  if (bound !== undefined) {
    const { namespace, serviceaccount, pod, node, secret } = bound;
    return {
      namespace,
      name: serviceaccount.name,
      uid: serviceaccount.uid,
      pod,
      node: node && { name: node.name, uid: node.uid },
      secret,
    };
  }
  const namespace = payload['kubernetes.io/serviceaccount/namespace'];
  const name = payload['kubernetes.io/serviceaccount/service-account.name'];
  const uid = payload['kubernetes.io/serviceaccount/service-account.uid'];
  const secretName = payload['kubernetes.io/serviceaccount/secret.name'];
  if (namespace === undefined || name === undefined || uid === undefined || secretName === undefined) return undefined;
  return { namespace, name, uid, pod: undefined, node: undefined, secret: { name: secretName, uid: undefined } };
}

/** Leaves a byte order mark in, which JSON may not begin with (RFC 8259 section 8.1). */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function jsonObject(part: string): object | undefined {
  const bytes = decoded(part);
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function decoded(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url');
  return bytes.toString('base64url') === part ? bytes : undefined;
}
