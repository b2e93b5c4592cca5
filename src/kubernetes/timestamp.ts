import { z } from 'zod';

/** A time as Kubernetes writes it (RFC 3339), in epoch milliseconds. */
export const timestamp: z.ZodType<number> = z
  .string()
  .transform((text) => Date.parse(text))
  .pipe(z.number());
