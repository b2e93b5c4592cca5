import { readFile } from 'node:fs/promises';
import type { Clock } from '../authentication/clock.ts';
import type { Log } from '../authentication/log.ts';
import { Unavailability } from '../authentication/reviewer.ts';
import { wordsOf } from './words-of.ts';

/** Well within the fifth of its life for which the kubelet keeps an old token valid (at least 2 minutes). */
const rereadAfterMs = 10_000;

/**
 * A credential file that the kubelet replaces while we run. While it cannot be read, what was last read goes on
 * serving: the kubelet swaps the files under a symbolic link, and volumes have moments.
 */
export class RotatingFile {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #last: { readonly content: string; readonly readAt: number } | undefined;
  #lastReadAt: number | undefined;

  constructor(path: string, clock: Clock, log: Log) {
    this.#path = path;
    this.#clock = clock;
    this.#log = log;
  }

  /** When what serves now was read, in epoch milliseconds; `undefined` before the first time. */
  get lastReadAt(): number | undefined {
    return this.#lastReadAt;
  }

  /** Makes the next use read the file, however recently it was read. */
  expire(): void {
    if (this.#last !== undefined) this.#last = { ...this.#last, readAt: Number.NEGATIVE_INFINITY };
  }

  /** @throws {Unavailability} where the file cannot be read and never could */
  async content(): Promise<string> {
    const now = this.#clock.monotonic();
    if (this.#last !== undefined && now - this.#last.readAt < rereadAfterMs) return this.#last.content;
    let problem: string;
    try {
      const content = (await readFile(this.#path, 'utf8')).trim();
      if (content !== '') {
        this.#last = { content, readAt: now };
        this.#lastReadAt = this.#clock.now();
        return content;
      }
      problem = 'it is empty';
    } catch (error) {
      problem = wordsOf(error);
    }
    if (this.#last === undefined) {
      throw new Unavailability(
        'credential_unreadable',
        `${this.#path}: ${problem}. Is automountServiceAccountToken off, or the volume not mounted?`,
      );
    }
    this.#log({
      level: 'warn',
      code: 'credential_stale',
      message: `${this.#path}: ${problem}; using what was last read`,
    });
    return this.#last.content;
  }
}
