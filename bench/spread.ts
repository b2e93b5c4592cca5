/** A value with the quartiles of the rounds it comes from. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly rounds: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other);
  return {
    low: quantile(sorted, 0.25),
    median: quantile(sorted, 0.5),
    high: quantile(sorted, 0.75),
    rounds: values.length,
  };
}

/** @param sorted in ascending order */
export function quantile(sorted: readonly number[], part: number): number {
  if (sorted.length === 0) throw new Error('Nothing was measured');
  const position = (sorted.length - 1) * part;
  const below = sorted[Math.floor(position)] as number;
  const above = sorted[Math.ceil(position)] as number;
  return below + (above - below) * (position - Math.floor(position));
}

/** How far the quartiles lie apart, as a part of the median. */
export const widthOf = ({ median, low, high }: Spread): number => (high - low) / median;
