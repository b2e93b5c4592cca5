import type { ApiServer } from './api-server.ts';
import type { RequestKind, RequestPattern } from './request-kind.ts';

/** What goes wrong instead of, or with, the answer. */
export type Fault =
  /** No answer until the fault is lifted, which then drops the connection. */
  | { readonly hang: true }
  /** This status; the body is a `Status` object unless given (a string as it is, anything else as JSON). */
  | { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  /** The connection is reset before anything is answered, or after half of the answer. */
  | { readonly reset: 'before' | 'mid-answer' }
  /** The right answer, after that many milliseconds of real time. */
  | { readonly delayMs: number }
  /** The right status with this body. */
  | { readonly body: string | Uint8Array; readonly contentType?: string }
  /** 307 to that URL. */
  | { readonly redirect: string }
  /** The connection ends properly after half of the announced answer. */
  | { readonly halfBody: true }
  /** The right answer, a few bytes at a time (real time). */
  | { readonly drip: { readonly bytes: number; readonly everyMs: number } }
  /**
   * Watches, those that are open already too, stay open but say nothing, not even that their time is over. Once the fault is
   * lifted they go on with what they have missed.
   */
  | { readonly silence: true };

/** Those that happen to an answer as a whole. */
export type AnswerFault = Exclude<Fault, { readonly silence: true }>;

/** The right answer, of another API server. */
export interface Forwarding {
  readonly answeredBy: ApiServer;
}

/** An active fault; disposing of it lifts it. */
export interface ActiveFault extends Disposable {
  /** How many requests it has hit. */
  readonly hits: number;
}

interface Entry {
  readonly pattern: RequestPattern;
  readonly fault: Fault | Forwarding;
  remaining: number;
  hits: number;
  readonly lifted: AbortController;
}

/** The faults in force; the one added last wins. */
export class Faults {
  #entries: Entry[] = [];
  readonly #listeners = new Set<() => void>();

  add(pattern: RequestPattern, fault: Fault | Forwarding, times: number): ActiveFault {
    const entry: Entry = { pattern, fault, remaining: times, hits: 0, lifted: new AbortController() };
    this.#entries.unshift(entry);
    return {
      get hits() {
        return entry.hits;
      },
      [Symbol.dispose]: () => {
        this.#entries = this.#entries.filter((other) => other !== entry);
        entry.lifted.abort();
        for (const listener of this.#listeners) listener();
      },
    };
  }

  /** The fault that this request meets, which counts as one of its `times`; `lifted` aborts when it is lifted. */
  take(kind: RequestKind): { readonly fault: AnswerFault | Forwarding; readonly lifted: AbortSignal } | undefined {
    for (const entry of this.#entries) {
      const { fault, pattern, remaining, lifted } = entry;
      if (remaining <= 0 || 'silence' in fault || !matches(pattern, kind)) continue;
      entry.remaining -= 1;
      entry.hits += 1;
      return { fault, lifted: lifted.signal };
    }
    return undefined;
  }

  /** Whether a watch is to say nothing; each time it is asked counts as a hit. */
  silences(kind: RequestKind): boolean {
    const entry = this.#entries.find(({ fault, pattern }) => 'silence' in fault && matches(pattern, kind));
    if (entry) entry.hits += 1;
    return entry !== undefined;
  }

  /** Calls `listener` after each fault that is lifted until the function it returns is called. */
  onLift(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function matches(pattern: RequestPattern, kind: RequestKind): boolean {
  return pattern === '*' || pattern === kind || (pattern === 'watch/*' && kind.startsWith('watch/'));
}
