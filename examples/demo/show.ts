import { differences, type Expectation, type Outcome } from './outcome.ts';
import { Observer } from './observer.ts';
import type { Stage } from './stage.ts';
import type { Table } from './table.ts';

export interface Scene {
  readonly caller: string;
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  /** Sent as `Authorization: Bearer …`. */
  readonly token?: string;
  /** Sent as it is, instead of a token. */
  readonly authorization?: string;
  /** Sends the request in its own way instead. */
  readonly send?: () => Promise<Response>;
  /** How many such requests are sent at once. Default: 1. */
  readonly times?: number;
  readonly expect: Expectation;
}

/** Plays scenes, one after the other, and counts those that did not go as expected. */
export class Show {
  readonly #stage: Stage;
  readonly #table: Table;
  readonly #signal: AbortSignal;
  readonly #observer: Observer;
  #played = 0;
  #failed = 0;

  constructor(stage: Stage, table: Table, signal: AbortSignal) {
    this.#stage = stage;
    this.#table = table;
    this.#signal = signal;
    this.#observer = new Observer(stage.authenticator);
  }

  get exitCode(): 0 | 1 {
    return this.#failed === 0 ? 0 : 1;
  }

  get summary(): string {
    return this.#failed === 0
      ? `All ${this.#played} outcomes are as expected.`
      : `${this.#failed} of ${this.#played} outcomes are not as expected.`;
  }

  section(title: string): void {
    this.#table.section(title);
  }

  async scene(scene: Scene): Promise<void> {
    this.#signal.throwIfAborted();
    const { caller, method = 'GET', path, times = 1 } = scene;
    const outcome = await this.#outcomeOf(scene, times);
    const wrong = differences(scene.expect, outcome);
    this.#played += 1;
    if (wrong.length > 0) this.#failed += 1;
    const request = `${times > 1 ? `${times} × ` : ''}${method} ${path}`;
    this.#table.row({ caller, request, ...outcome, wrong });
  }

  async #outcomeOf(scene: Scene, times: number): Promise<Outcome> {
    const { reviewsReceived } = this.#stage.cluster;
    const receivedBefore = reviewsReceived?.() ?? 0;
    this.#observer.take();
    const answers = await Promise.all(Array.from({ length: times }, () => this.#answerTo(scene)));
    const { reason, reviews } = this.#observer.take();
    const received = reviewsReceived && reviewsReceived() - receivedBefore;
    const { status, told, identity } = common(answers);
    return {
      status: times > 1 ? `${times} × ${status}` : status,
      told,
      known: identity || (reason ?? ''),
      reviews,
      received,
    };
  }

  async #answerTo({ method = 'GET', path, token, authorization, send }: Scene): Promise<Answer> {
    const credentials = token === undefined ? authorization : `Bearer ${token}`;
    const response = await (send?.() ??
      fetch(new URL(path, this.#stage.url), {
        method,
        ...(credentials !== undefined && { headers: { authorization: credentials } }),
      }));
    const body = (await response.json()) as { readonly caller?: string; readonly pod?: string; readonly node?: string };
    const identity = [body.caller, body.pod && `Pod ${body.pod}`, body.node && `Node ${body.node}`];
    return {
      status: String(response.status),
      told: toldBy(response.headers),
      identity: identity.filter(Boolean).join(', '),
    };
  }
}

interface Answer {
  readonly status: string;
  readonly told: string;
  readonly identity: string;
}

function toldBy(headers: Headers): string {
  const retryAfter = headers.get('retry-after');
  if (retryAfter !== null) return `Retry-After: ${retryAfter}`;
  const challenge = headers.get('www-authenticate');
  if (challenge === null) return '';
  return /error="(\w+)"/.exec(challenge)?.[1] ?? 'bare challenge';
}

/** What all of them say; where they disagree, each different thing. */
function common(answers: readonly Answer[]): Answer {
  const all = (field: keyof Answer): string => [...new Set(answers.map((answer) => answer[field]))].join(' or ');
  return { status: all('status'), told: all('told'), identity: all('identity') };
}
