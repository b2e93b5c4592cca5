import { z } from 'zod';

const isListOfStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

/**
 * A list of strings that is read no further than its first wrong element. `z.array` finds fault with each of them, which
 * takes a hundred times longer than all else that is done with a hostile token.
 */
export const listOfStrings: z.ZodType<string[]> = z.custom<string[]>(isListOfStrings);
