import type { Child } from './child.ts';
import type { ClusterAnswers, Connection } from './processes/cluster.ts';
import type { RoundsOptions } from './rounds.ts';

/** What a measure works with. */
export interface Bench {
  readonly isQuick: boolean;
  readonly rounds: RoundsOptions;
  /** How long one subject's turn lasts, in milliseconds. */
  readonly turnMs: number;
  readonly cluster: Child<ClusterAnswers>;
  readonly connection: Connection;
  /** Real ones: signed by the cluster, about 1 kB long, all different and all good for the audience `orders`. */
  readonly tokens: readonly string[];
  readonly say: (line: string) => void;
}

export const audience = 'orders';
