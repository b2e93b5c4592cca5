import { Agent, get } from 'node:http';
import type { Callers } from '../faults/callers.ts';

/** So many tokens are in use at a time; one in fifty calls of known callers brings a new one in place of another. */
const tokensInUse = 300;
const renewedEvery = 50;

type Token = () => string | undefined;

/** Callers without a pause, each calling again as soon as it is answered. */
export class FullLoad {
  readonly #agent: Agent;
  readonly #url: string;
  readonly #validCaller: string;
  readonly #workers: Promise<void>[];
  #isStopped = false;
  readonly statuses = new Map<number, number>();
  /** What must never be: a bad token let in, a valid one rejected, another's identity, a caller without an answer. */
  readonly wrongs: string[] = [];
  longestMs = 0;

  constructor(port: number, { tokens, validCaller }: Callers, callers: number) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: callers });
    this.#url = `http://127.0.0.1:${port}/`;
    this.#validCaller = validCaller;
    const known = Array.from({ length: tokensInUse }, () => tokens.valid());
    // The hopeless are the same again and again; they cost the callers' process least, and the service about as much.
    const hopeless = [tokens.expired(), tokens.forSomeoneElse(), 'no-token-at-all', undefined];
    const bad: readonly Token[] = [tokens.forged, tokens.refused, ...hopeless.map((token) => () => token)];
    this.#workers = Array.from({ length: callers }, async (_, worker) => {
      for (let call = worker; !this.#isStopped; call += 1) {
        const index = Math.floor(Math.random() * tokensInUse);
        if (call % renewedEvery === 0) known[index] = tokens.valid();
        await this.#call(known[index], true);
        if (call % 10 === 0) await this.#call(bad[Math.floor(call / 10) % bad.length]?.(), false);
      }
    });
  }

  get count(): number {
    return [...this.statuses.values()].reduce((sum, count) => sum + count, 0);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#workers);
    this.#agent.destroy();
  }

  async #call(token: string | undefined, isValid: boolean): Promise<void> {
    const began = performance.now();
    const answer = await this.#answerTo(token).catch((error: unknown) => ({ status: 0, body: String(error) }));
    this.longestMs = Math.max(this.longestMs, performance.now() - began);
    this.statuses.set(answer.status, (this.statuses.get(answer.status) ?? 0) + 1);
    const { status, body } = answer;
    const isRight =
      status === 503 ||
      (isValid ? status === 200 && body === JSON.stringify({ caller: this.#validCaller }) : status === 401);
    if (!isRight) this.wrongs.push(`${isValid ? 'a valid' : 'a bad'} token got ${status}: ${body.slice(0, 200)}`);
  }

  #answerTo(token: string | undefined): Promise<{ readonly status: number; readonly body: string }> {
    return new Promise((resolve, reject) => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      get(this.#url, { agent: this.#agent, headers }, (response) => {
        response
          .setEncoding('utf8')
          .toArray()
          .then((chunks) => resolve({ status: response.statusCode ?? 0, body: chunks.join('') }), reject);
      }).on('error', reject);
    });
  }
}
