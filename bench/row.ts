import type { Spread } from './spread.ts';

export interface Goal {
  readonly at: 'most' | 'least' | 'exactly';
  readonly value: number;
}

/** One line of the table. */
export interface Row {
  readonly id: string;
  readonly measure: string;
  /** What the value is a multiple of, or its unit. */
  readonly unit: string;
  /** `undefined`: not measured, and `note` says why. */
  readonly value: Spread | undefined;
  /** `undefined`: for comparison. */
  readonly goal?: Goal | undefined;
  /** No matter of time: to miss its goal is a failure. */
  readonly isHard?: boolean;
  readonly note?: string;
}

export function isMet({ value, goal }: Row): boolean | undefined {
  if (value === undefined || goal === undefined) return undefined;
  if (goal.at === 'most') return value.median <= goal.value;
  if (goal.at === 'least') return value.median >= goal.value;
  return value.low === goal.value && value.high === goal.value;
}

export const atMost = (value: number): Goal => ({ at: 'most', value });
export const atLeast = (value: number): Goal => ({ at: 'least', value });
export const exactly = (value: number): Goal => ({ at: 'exactly', value });

/** A value that one look tells. */
export const single = (value: number): Spread => ({ median: value, low: value, high: value, rounds: 1 });

export const tokensInWords = (count: number): string =>
  count === 1 ? '1 token' : `${count.toLocaleString('en')} tokens`;
