import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';

export interface ApiResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Parsed if it is JSON, else the text. */
  readonly body: unknown;
}

export interface CallOptions {
  /** The caller's bearer token; `null` for an anonymous call. Default: the client's own. */
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Kept-alive HTTPS connections to one API server. */
export class ApiConnection {
  readonly #server: string;
  readonly #token: string;
  readonly #agent: Agent;

  constructor(server: string, ca: string, token: string) {
    this.#server = server;
    this.#token = token;
    this.#agent = new Agent({ ca, keepAlive: true });
  }

  /** Rejects only if there is no answer at all, or none within 30 s. */
  call(method: string, path: string, body?: unknown, { token, headers }: CallOptions = {}): Promise<ApiResponse> {
    const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
    const bearer = token === undefined ? this.#token : token;
    return new Promise((resolve, reject) => {
      const sent = request(new URL(path, this.#server), {
        method,
        agent: this.#agent,
        signal: AbortSignal.timeout(30_000),
        headers: {
          accept: '*/*',
          ...(text !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
          ...(bearer !== null && { authorization: `Bearer ${bearer}` }),
          ...headers,
        },
      });
      sent.once('error', reject);
      sent.once('response', (response) => {
        response.once('error', reject).setEncoding('utf8');
        response.toArray().then((chunks) => {
          const content = chunks.join('');
          resolve({
            status: Number(response.statusCode),
            headers: response.headers,
            body: parsed(response.headers, content),
          });
        }, reject);
      });
      sent.end(text);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function parsed(headers: IncomingHttpHeaders, text: string): unknown {
  return /\bjson\b/.test(String(headers['content-type'])) && text !== '' ? JSON.parse(text) : text;
}
