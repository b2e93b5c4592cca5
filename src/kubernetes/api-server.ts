import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { Unavailability } from '../authentication/reviewer.ts';
import { AgingAgent } from './aging-agent.ts';
import type { ApiServerConnection, CallOptions } from './api-server-connection.ts';
import { wordsOf } from './words-of.ts';

/** A TokenReview's answer is a few kB: it echoes the token. */
const maxAnswerBytes = 1024 * 1024;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

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
    return this.#call('POST', path, headers, body, signal);
  }

  /** @throws {Unavailability} where no answer came, whole and within bounds */
  get(path: string, accept: string, signal: AbortSignal): Promise<Answer> {
    return this.#call('GET', path, { accept }, '', signal);
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
  async #call(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    body: string,
    signal: AbortSignal,
  ): Promise<Answer> {
    const connection = await this.#connect();
    const url = below(connection.server, path);
    const sendAs = (options: CallOptions): Promise<Answer> => {
      signal.throwIfAborted();
      if (this.#isClosed) throw new Unavailability('authenticator_closed', 'The authenticator is closed');
      const all = { agent: this.#agent, ...options, method, headers: { ...options.headers, ...headers }, signal };
      return send(url, body, all);
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

async function send(url: URL, body: string, { headers = {}, ...options }: CallOptions): Promise<Answer> {
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const call = request(url, options, resolve).on('error', reject);
      try {
        // Not as options: a connection keeps those of its first call as long as it lives, a rotated credential with them.
        for (const [name, value = ''] of Object.entries(headers)) call.setHeader(name, value);
        call.end(body);
      } catch (error) {
        // So that it does not wait in the pool for ever. It may be about a header that the credential cannot stand in.
        call.destroy(error as Error);
      }
    });
    return { status: response.statusCode ?? 0, headers: response.headers, body: await wholeBody(response) };
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

async function wholeBody(response: IncomingMessage): Promise<string> {
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
