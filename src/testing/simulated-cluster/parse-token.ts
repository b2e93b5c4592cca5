import { z } from 'zod';

/** A JWS taken apart, nothing of it verified. */
export interface ParsedToken {
  readonly algorithm: string;
  readonly keyId: string;
  /** Whether the header demands an extension (`crit`, RFC 7515 section 4.1.11) that Kubernetes does not know. */
  readonly unknownCritical: boolean;
  readonly issuer: string;
  readonly claims: unknown;
  readonly signedInput: Buffer;
  readonly signature: Buffer;
}

const headerSchema = z.object({
  alg: z.string().nullish(),
  kid: z.string().nullish(),
  crit: z.array(z.string()).nullish(),
});

const issuerSchema = z.object({ iss: z.string().nullish() });

/** As go-jose reads it: undefined where it refuses before any verification. */
export function parseToken(token: string): ParsedToken | undefined {
  const parts = token.split('.');
  // go-jose drops all white space, but the issuer is looked up before, in the payload as it came.
  const [header, payload, signature] = parts.map((part, index) => base64url(index === 1 ? part : withoutSpace(part)));
  if (parts.length !== 3 || !header || !payload || !signature) return undefined;
  const fields = headerSchema.safeParse(header.length === 0 ? {} : json(header));
  const claims = json(payload);
  const issuer = issuerSchema.safeParse(claims);
  if (!fields.success || !issuer.success) return undefined;
  return {
    algorithm: fields.data.alg ?? '',
    keyId: fields.data.kid ?? '',
    unknownCritical: fields.data.crit?.some((name) => name !== 'b64') ?? false,
    issuer: issuer.data.iss ?? '',
    claims,
    // go-jose encodes what it decoded anew: a token in non-canonical base64url verifies as well.
    signedInput: Buffer.from(`${header.toString('base64url')}.${payload.toString('base64url')}`),
    signature,
  };
}

/** What Go's unicode.IsSpace takes for it. */
function withoutSpace(text: string): string {
  return text.replace(/\p{White_Space}/gu, '');
}

/** Go's RawURLEncoding: no padding, line breaks ignored, unused trailing bits not checked. */
function base64url(text: string): Buffer | undefined {
  const bare = text.replace(/[\r\n]/g, '');
  if (!/^[\w-]*$/.test(bare) || bare.length % 4 === 1) return undefined;
  return Buffer.from(bare, 'base64url');
}

function json(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
