import type { IncomingMessage } from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import type { Answer, ApiServer } from '../../src/kubernetes/api-server.ts';

export interface ScriptedWatchRequest {
  readonly path: string;
  readonly accept: string;
  readonly signal: AbortSignal;
  /** What the API server says; what is no text is sent as a line of JSON. */
  say(...lines: readonly unknown[]): void;
  end(): void;
  reset(): void;
}

/** An API server that answers lists at once, and lets a test answer watches. */
export class ScriptedApiServer {
  /** Of lists, from now on. */
  version: unknown = '100';
  /** Answers instead of what else it would. */
  answerTo: (path: string) => Partial<Answer> | Promise<Partial<Answer>> | undefined = () => undefined;
  readonly watches: ScriptedWatchRequest[] = [];
  readonly others: { readonly path: string; readonly accept: string }[] = [];

  /** As the watch takes it. */
  get asApiServer(): ApiServer {
    return this as unknown as ApiServer;
  }

  async open(path: string, accept: string, signal: AbortSignal): Promise<Answer<IncomingMessage>> {
    const isWatch = path.includes('watch=1');
    if (!isWatch) this.others.push({ path, accept });
    const answer = await this.answerTo(path);
    if (answer !== undefined)
      return answerOf(answer.status ?? 200, Readable.from([Buffer.from(answer.body ?? '')]), answer.headers);
    if (isWatch) return this.#watch(path, accept, signal);
    const list = JSON.stringify({ metadata: { resourceVersion: this.version }, items: [] });
    return answerOf(200, Readable.from([Buffer.from(list)]));
  }

  #watch(path: string, accept: string, signal: AbortSignal): Answer<IncomingMessage> {
    const body = new PassThrough();
    body.on('error', () => {});
    signal.addEventListener('abort', () => body.destroy(new Error('aborted')));
    this.watches.push({
      path,
      accept,
      signal,
      say: (...lines) => {
        for (const line of lines) body.write(typeof line === 'string' ? line : `${JSON.stringify(line)}\n`);
      },
      end: () => void body.end(),
      reset: () => void body.destroy(new Error('read ECONNRESET')),
    });
    return answerOf(200, body);
  }
}

function answerOf(status: number, body: Readable, headers: Answer['headers'] = {}): Answer<IncomingMessage> {
  return { status, headers, body: body as IncomingMessage };
}

export function objectEvent(type: string, resourceVersion: string, metadata: object = { uid: 'uid-1' }): object {
  return { type, object: { kind: 'PartialObjectMetadata', metadata: { resourceVersion, ...metadata } } };
}
