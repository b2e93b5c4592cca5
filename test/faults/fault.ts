import type { LogEntry } from '../../src/authentication/log.ts';
import type { StageOptions } from './stage.ts';
import type { Surroundings } from './surroundings.ts';

/** Makes it go right again; resolves when it does. */
export type Lift = () => void | Promise<void>;

/** Something that goes wrong, and what the service then owes to whom. */
export interface Fault {
  readonly name: string;
  /** Makes it go wrong; returns what makes it go right again. */
  readonly happen: (surroundings: Surroundings) => Lift | Promise<Lift>;
  readonly stage?: StageOptions;
  /** What valid callers may get that the service does not know yet. Default: 503 alone. */
  readonly newCallers?: readonly (200 | 401 | 503)[];
  /** Whether it is so from the start, before the service has seen anyone or any key. Default: later. */
  readonly fromTheStart?: boolean;
  /** Whether what is forged is known to be while it lasts. Default: as long as there are keys. */
  readonly forged?: 401 | 503;
  /** What tokens of a Pod that is gone get. Default: 401 where valid ones get 200 or 401, and 503 where they do. */
  readonly refused?: 401 | 503;
  /** Whether the API server is down to us, and so is to be left alone. Default: it answers. */
  readonly isOutage?: boolean;
  /** What the log may say, and no other. */
  readonly log: readonly LogEntry['code'][];
  /** What the log must say, whatever the code. Default: anything. */
  readonly words?: RegExp;
  /** How old the tokens of new callers are, in milliseconds. Default: 0. */
  readonly tokenAgeMs?: number;
  /** How long after its end valid callers may still be kept out, in milliseconds. Default: what the circuit's pauses allow. */
  readonly longestRecoveryMs?: number;
  /** In milliseconds. Default: 2,000. */
  readonly lastsMs?: number;
}
