import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { type Agent, request } from 'node:https';
import { authenticatorClosed, Unavailability } from '../authentication/reviewer.ts';
import { AgingAgent } from './aging-agent.ts';
import type { ApiServerConnection, CallOptions } from './api-server-connection.ts';
import { wordsOf } from './words-of.ts';

/** A TokenReview's answer is a few kB: it echoes the token. */
const maxAnswerBytes = 1024 * 1024;

export interface Answer<Body = string> {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Body;
}

interface Call<Body> {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string;
  readonly signal: AbortSignal;
  readonly agent: Agent;
  /** Whether the process may end while it waits. */
  readonly isBackground?: boolean;
  readonly read: (response: IncomingMessage) => Promise<Body>;
}

/** After so long without a sign, the system asks the other side for one, and again each second, ten times at most. */
const keepAliveMs = 10_000;

/** Calls to the API server over a pool of kept-alive connections. Follows no redirect: a call carries a token. */
export class ApiServer {
  readonly #connection: () => Promise<ApiServerConnection>;
  readonly #agent: AgingAgent;
  #connecting: Promise<ApiServerConnection> | undefined;
  #connected: ApiServerConnection | undefined;
  #isClosed = false;

  constructor(connection: () => Promise<ApiServerConnection>, maxConnections: number) {
    this.#connection = connection;
    this.#agent = new AgingAgent(maxConnections);
  }

  /** @throws {Unavailability} where no answer came, whole and within bounds */
  post(path: string, body: string, signal: AbortSignal): Promise<Answer> {
    const headers = {
      accept: 'application/json',
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    return this.#call({ method: 'POST', path, headers, body, signal, agent: this.#agent, read: wholeBody });
  }

  /** @throws {Unavailability} where no answer came, whole and within bounds */
  get(path: string, accept: string, signal: AbortSignal): Promise<Answer> {
    return this.#call({ method: 'GET', path, headers: { accept }, signal, agent: this.#agent, read: wholeBody });
  }

  /**
   * A GET whose answer may go on for long: the caller reads it, and `signal` ends it. Over a connection of that agent, apart
   * from all other calls, and without keeping the process alive.
   *
   * @throws {Unavailability} where no answer began
   */
  open(path: string, accept: string, signal: AbortSignal, agent: Agent): Promise<Answer<IncomingMessage>> {
    const read = async (response: IncomingMessage): Promise<IncomingMessage> => response;
    return this.#call({ method: 'GET', path, headers: { accept }, signal, agent, isBackground: true, read });
  }

  /** When our own credential was last read, where it is read from a file. */
  get credentialReadAt(): number | undefined {
    return this.#connected?.credentialReadAt?.();
  }

  /** Ends calls in flight, and refuses those that come later: a retry would open connections again. */
  close(): void {
    this.#isClosed = true;
    this.#agent.destroy();
  }

  /** Our credential, or the CA, may have been rotated since they were read: a refusal has them looked for anew. */
  async #call<Body>(call: Call<Body>): Promise<Answer<Body>> {
    const connection = await this.#connect();
    const url = below(connection.server, call.path);
    const sendAs = (options: CallOptions): Promise<Answer<Body>> => {
      call.signal.throwIfAborted();
      if (this.#isClosed) throw authenticatorClosed();
      return send(url, call, options);
    };
    const options = await connection.requestOptions();
    try {
      const answer = await sendAs(options);
      if (answer.status !== 401 || connection.renew === undefined) return answer;
      connection.renew();
      const renewed = await connection.requestOptions();
      const isNew = renewed.headers?.['authorization'] !== options.headers?.['authorization'];
      return isNew ? await sendAs(renewed) : answer;
    } catch (error) {
      connection.renew?.();
      throw error;
    }
  }

  /** A configuration that could not be loaded is looked for again at the next call: it may have been mended. */
  async #connect(): Promise<ApiServerConnection> {
    this.#connecting ??= this.#connection();
    try {
      this.#connected = await this.#connecting;
      return this.#connected;
    } catch (error) {
      this.#connecting = undefined;
      throw error;
    }
  }
}

/** A proxy in front of several API servers tells them apart by a path of the server's URL. */
function below(server: URL, path: string): URL {
  return new URL(server.pathname.replace(/\/$/, '') + path, server);
}

async function send<Body>(url: URL, call: Call<Body>, connection: CallOptions): Promise<Answer<Body>> {
  const { method, agent, signal, body = '', isBackground = false, read } = call;
  const { headers = {}, ...options } = connection;
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request(url, { agent, ...options, method, signal }, resolve).on('error', reject);
      if (isBackground) sent.on('socket', (socket) => socket.setKeepAlive(true, keepAliveMs).unref());
      try {
        // Not as options: a connection keeps those of its first call as long as it lives, a rotated credential with them.
        for (const [name, value = ''] of Object.entries({ ...headers, ...call.headers })) sent.setHeader(name, value);
        sent.end(body);
      } catch (error) {
        // So that it does not wait in the pool for ever. It may be about a header that the credential cannot stand in.
        sent.destroy(error as Error);
      }
    });
    return { status: response.statusCode ?? 0, headers: response.headers, body: await read(response) };
  } catch (error) {
    if (error instanceof Unavailability) throw error;
    const why = `The API server at ${url.origin} cannot be reached: ${wordsOf(error)}${remedyFor(error)}`;
    throw new Unavailability('api_server_unreachable', why);
  }
}

/** Node's words for a chain that ends at no authority that we trust (OpenSSL's X509_V_ERR_…). */
const untrusted = new Set<unknown>([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
]);

function remedyFor(error: unknown): string {
  if (!untrusted.has((error as NodeJS.ErrnoException).code)) return '';
  return (
    '. The CA that we have (in a Pod ca.crt, beside its token) did not sign its certificate. The CA that it should be: ' +
    'kubectl get configmap kube-root-ca.crt -o yaml'
  );
}

/** @throws {Unavailability} where it is too long */
export async function wholeBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) {
      throw new Unavailability('answer_invalid', `The API server's answer is longer than ${maxAnswerBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
