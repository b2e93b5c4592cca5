import { z } from 'zod';
import { badRequest } from './status.ts';

/** Where a list goes on: with the key `start` or what comes after it, as everything was at that version. */
export interface Continue {
  readonly version: number;
  readonly start: string;
}

const FORMAT = 'meta.k8s.io/v1';
const schema = z.object({ v: z.string(), rv: z.int(), start: z.string() });

/** The parameter `continue` in the form of the API server. */
export function continueToken({ version, start }: Continue): string {
  return Buffer.from(JSON.stringify({ v: FORMAT, rv: version, start })).toString('base64url');
}

/** Throws Kubernetes' 400. */
export function parseContinueToken(token: string): Continue {
  const { v, rv: version, start } = decoded(token);
  if (v !== FORMAT) throw invalid(`server does not recognize this encoded version ${v}`);
  if (version === 0) throw invalid(`incorrect encoded start resourceVersion (version ${FORMAT})`);
  if (start === '') throw invalid(`encoded start key empty (version ${FORMAT})`);
  return { version, start: start.replace(/^\//, '') };
}

function decoded(token: string): z.output<typeof schema> {
  const valid = token.search(/[^\w-]|$/);
  // A character that is left over is no whole byte.
  const whole = valid === token.length && valid % 4 === 1 ? valid - 1 : valid;
  if (whole < token.length) throw invalid(`illegal base64 data at input byte ${whole}`);
  try {
    return schema.parse(JSON.parse(Buffer.from(token, 'base64url').toString()));
  } catch {
    throw invalid('it is not one that a list has returned');
  }
}

function invalid(why: string): Error {
  return badRequest(`invalid continue token: continue key is not valid: ${why}`);
}
