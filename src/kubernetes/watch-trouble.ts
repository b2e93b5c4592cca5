import type { Log, LogEntry } from '../authentication/log.ts';
import { NamespaceMissing, type ResourceWatch, type WatchFailure } from './resource-watch.ts';

/** What to say of watches that belong together. */
export interface WatchWords {
  /** Where a right is missing. */
  readonly forbidden: LogEntry['code'];
  /** Where trouble is over. */
  readonly regained: string;
}

/** Failures in a row that are worth an operator's attention: API servers come and go. */
const failuresThatMatter = 4;

/** Says to the operator what trouble watches have: once when it begins, and once when it is over. */
export class WatchTrouble {
  readonly #log: Log;
  readonly #words: WatchWords;
  /** Those whose trouble was logged. */
  readonly #troubled = new Set<ResourceWatch>();

  constructor(log: Log, words: WatchWords) {
    this.#log = log;
    this.#words = words;
  }

  report(watch: ResourceWatch, failure: WatchFailure | undefined): void {
    if (failure === undefined) {
      if (this.#troubled.delete(watch)) this.#say('info', 'watch_live', watch, this.#words.regained);
      return;
    }
    const { error, count } = failure;
    if (this.#troubled.has(watch)) return;
    const isForbidden = watch.state === 'forbidden';
    const isMissing = error instanceof NamespaceMissing;
    const isForOperators = (isForbidden || isMissing) && !watch.hasBeenLive;
    if (!isForOperators && count < failuresThatMatter) return;
    const isSaid = isForbidden && [...this.#troubled].some(({ state }) => state === 'forbidden');
    this.#troubled.add(watch);
    if (isForbidden) {
      // One manifest grants everything that is missing.
      if (!isSaid) this.#say('warn', this.#words.forbidden, watch, error.message);
    } else this.#say('warn', isMissing ? 'watch_namespace_missing' : 'watch_interrupted', watch, error.message);
  }

  #say(level: LogEntry['level'], code: LogEntry['code'], { resource }: ResourceWatch, why: string): void {
    const place = resource.namespace === undefined ? '' : ` in ${resource.namespace}`;
    this.#log({ level, code, message: `The watch of ${resource.kind}s${place}: ${why}` });
  }
}
