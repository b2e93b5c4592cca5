import { randomBytes } from 'node:crypto';

/** A name as the API server makes one from `generateName`. */
export function generatedName(prefix: string): string {
  return `${prefix}${randomBytes(3).toString('hex').slice(0, 5)}`;
}
