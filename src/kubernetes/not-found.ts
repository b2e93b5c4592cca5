import { z } from 'zod';

const notFoundSchema = z.object({ kind: z.literal('Status'), reason: z.literal('NotFound') });

/** Whether an API server says that there is none of that name: something else in its place may answer 404 to all. */
export function isNotFound(status: number, body: unknown): boolean {
  return status === 404 && notFoundSchema.safeParse(body).success;
}
