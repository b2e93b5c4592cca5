import type { Child } from './child.ts';
import type { ServiceAnswers } from './processes/service.ts';

/**
 * What a service does, having begun that many reviews meanwhile and no other.
 *
 * @throws {Error} otherwise: then it is not what was to be measured
 */
export async function withReviews<Result>(
  service: Child<ServiceAnswers> | undefined,
  expected: number,
  measure: () => Promise<Result>,
): Promise<Result> {
  if (service === undefined) return measure();
  const before = await service.ask('reviewsBegun', undefined);
  const result = await measure();
  const begun = (await service.ask('reviewsBegun', undefined)) - before;
  if (begun !== expected) throw new Error(`${begun} reviews were begun in a round that was to have ${expected}`);
  return result;
}
