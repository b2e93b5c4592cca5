import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { answerWrongly } from '../../src/testing/simulated-cluster/answer-wrongly.ts';
import type { ApiAnswer } from '../../src/testing/simulated-cluster/api-server.ts';
import { createServerCertificate } from '../../src/testing/simulated-cluster/certificate.ts';
import { type Fault, Faults } from '../../src/testing/simulated-cluster/faults.ts';
import { requestInfo } from '../../src/testing/simulated-cluster/request-info.ts';
import { type RequestKind, requestKind } from '../../src/testing/simulated-cluster/request-kind.ts';
import { sendAnswer, statusAnswer } from '../../src/testing/simulated-cluster/send-answer.ts';
import { unauthorized } from '../../src/testing/simulated-cluster/status.ts';

/** Default: the names of an API server, and valid. */
export interface FrontCertificate {
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly Uint8Array[];
  readonly validUntil?: Date;
}

/**
 * Ends TLS in front of an API server, with a certificate of an authority of its own, so that answers can be tampered
 * with. What no fault hits goes through as it is.
 */
export class Front {
  /** PEM. */
  readonly ca: string;
  readonly #server: Server;
  readonly #upstream: { readonly server: string; readonly ca: string; readonly agent: Agent };
  readonly #faults = new Faults();
  readonly #tcpSockets = new Map<number | undefined, Socket>();
  #refusedCredential: string | undefined;

  static async start(upstream: { server: string; ca: string }, certificate: FrontCertificate = {}): Promise<Front> {
    const {
      dnsNames = ['kubernetes.default.svc'],
      addresses = [Uint8Array.of(127, 0, 0, 1)],
      ...validity
    } = certificate;
    const { key, certificate: cert, ca } = await createServerCertificate({ dnsNames, addresses }, validity);
    const front = new Front(createServer({ key, cert, keepAliveTimeout: 60_000 }), ca, upstream);
    front.#server.listen(0, '127.0.0.1');
    await once(front.#server, 'listening');
    return front;
  }

  private constructor(server: Server, ca: string, upstream: { server: string; ca: string }) {
    this.ca = ca;
    this.#server = server;
    this.#upstream = { ...upstream, agent: new Agent({ keepAlive: true }) };
    server.on('tlsClientError', () => {});
    server.on('connection', (socket: Socket) => {
      const { remotePort } = socket;
      this.#tcpSockets.set(remotePort, socket);
      socket.on('error', () => socket.destroy());
      socket.once('close', () => this.#tcpSockets.delete(remotePort));
    });
    server.on('request', (req, res) => {
      // Whoever asks has gone, or the API server has: both see it by their connection.
      this.#serve(req, res).catch(() => res.destroy());
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Makes calls of that kind go wrong, so many of them or all, until the returned function is called. */
  fault(kind: RequestKind, fault: Fault, times: number = Infinity): () => void {
    const active = this.#faults.add(kind, fault, times);
    return () => active[Symbol.dispose]();
  }

  /** Answers 401 to whoever comes with this token: the API server has done with it. */
  refuse(credential: string | undefined): void {
    this.#refusedCredential = credential;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    this.#upstream.agent.destroy();
    await closed;
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(req.url ?? '/', 'https://host');
    const taken = this.#faults.take(requestKind(requestInfo(req.method ?? 'GET', pathname, searchParams)));
    const answer = await this.#answerTo(req);
    const send = (): void => sendAnswer(res, answer);
    if (taken === undefined) return send();
    // A TLS socket cannot be reset, only the TCP socket below it.
    const reset = (): void => void this.#tcpSockets.get(req.socket.remotePort)?.resetAndDestroy();
    await answerWrongly(taken.fault, taken.lifted, () => answer, res, reset, send);
  }

  async #answerTo(req: IncomingMessage): Promise<ApiAnswer> {
    const body = await buffer(req);
    if (req.headers.authorization === `Bearer ${this.#refusedCredential}`) return statusAnswer(unauthorized());
    const { server, ca, agent } = this.#upstream;
    const { method, headers } = req;
    const upstream = await new Promise<IncomingMessage>((resolve, reject) => {
      request(new URL(req.url ?? '/', server), { method, headers, ca, agent }, resolve)
        .on('error', reject)
        .end(body);
    });
    return {
      status: upstream.statusCode ?? 0,
      contentType: upstream.headers['content-type'] ?? '',
      body: await text(upstream),
    };
  }
}
