import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { ApiAnswer, ApiServer } from './api-server.ts';
import type { ServerCertificate } from './certificate.ts';
import { answerWrongly } from './answer-wrongly.ts';
import type { Faults } from './faults.ts';
import { requestInfo } from './request-info.ts';
import { requestKind } from './request-kind.ts';
import { type Muzzle, sendAnswer, statusAnswer } from './send-answer.ts';
import { internalError, tooLarge } from './status.ts';
import type { Traffic } from './traffic.ts';

const MAX_BODY_BYTES = 3 * 1024 * 1024;

/** Faults and counting are for the users' connections; the cluster's own client has a port without. */
export interface HttpServerOptions {
  readonly api: Pick<ApiServer, 'answer'>;
  readonly certificate: ServerCertificate;
  readonly disturbance?: { readonly faults: Faults; readonly traffic: Traffic };
}

/** What happens to the connections that are open: see `SimulatedCluster.disconnect`. */
export type Disconnection = 'end' | 'reset' | 'silence';

export interface HttpServer {
  /** `https://127.0.0.1:port` */
  readonly address: string;
  disconnect(how: Disconnection): void;
  /** Drops all connections, whatever they wait for. */
  close(): Promise<void>;
}

/** Serves the API on a free loopback port. */
export async function startHttpServer({ api, certificate, disturbance }: HttpServerOptions): Promise<HttpServer> {
  const { key, certificate: cert } = certificate;
  const server = createServer({ key, cert, keepAliveTimeout: 60_000 });
  const tcpSockets = new Map<number | undefined, Socket>();
  const tlsSockets = new Set<Socket>();
  const silenced = new WeakSet<Socket>();
  server.on('secureConnection', (socket) => {
    tlsSockets.add(socket);
    socket.once('close', () => tlsSockets.delete(socket));
  });
  server.on('request', (request, response) => {
    if (silenced.has(request.socket)) return;
    // A TLS socket cannot be reset, only the TCP socket below it.
    const reset = (): void => void tcpSockets.get(request.socket.remotePort)?.resetAndDestroy();
    serve({ api, request, response, reset, isSilenced: () => silenced.has(request.socket), disturbance }).catch(
      (error: unknown) => {
        // Either the caller has gone away, or this is a defect that should be seen.
        if (response.headersSent || response.destroyed) response.destroy();
        else sendAnswer(response, statusAnswer(internalError(error)));
      },
    );
  });
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => socket.destroy()); // a reset by either side is no news
    const { remotePort } = socket;
    tcpSockets.set(remotePort, socket);
    socket.once('close', () => tcpSockets.delete(remotePort));
    if (disturbance) socket.once('close', disturbance.traffic.connectionOpens());
  });
  const port = await listening(server);
  return {
    address: `https://127.0.0.1:${port}`,
    disconnect: (how) => {
      if (how === 'reset') for (const socket of tcpSockets.values()) socket.resetAndDestroy();
      for (const socket of tlsSockets) {
        if (how === 'end') socket.end();
        if (how === 'silence') silenced.add(socket.setTimeout(0));
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port');
  return address.port;
}

interface Exchange {
  readonly api: HttpServerOptions['api'];
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly reset: () => void;
  readonly isSilenced: () => boolean;
  readonly disturbance: HttpServerOptions['disturbance'];
}

async function serve({ api, request, response, reset, isSilenced, disturbance }: Exchange): Promise<void> {
  const method = request.method ?? 'GET';
  const { pathname, searchParams: query } = new URL(`https://host${request.url?.startsWith('/') ? request.url : '/'}`);
  const path = decoded(pathname);
  if (path === undefined) {
    sendAnswer(response, { status: 400, contentType: 'text/plain; charset=utf-8', body: '400 Bad Request' });
    return;
  }
  const info = requestInfo(method, path, query);
  const kind = requestKind(info);
  if (disturbance) response.once('close', disturbance.traffic.requestBegins(kind));
  const disturbed = disturbance?.faults.take(kind);

  const body = await bodyOf(request);
  const answer = (by: typeof api): ApiAnswer =>
    body ? by.answer({ method, query, info, headers: request.headers, body }) : statusAnswer(tooLarge(MAX_BODY_BYTES));
  const muzzle: Muzzle = {
    isOn: () => isSilenced() || (disturbance?.faults.silences(kind) ?? false),
    onChange: (listener) => disturbance?.faults.onLift(listener) ?? (() => undefined),
  };
  const send = (by = api): void => {
    if (!isSilenced()) sendAnswer(response, answer(by), muzzle);
  };
  if (disturbed) await answerWrongly(disturbed.fault, disturbed.lifted, () => answer(api), response, reset, send);
  else send();
}

/** Undefined if a percent escape is malformed. */
function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** Undefined if it is larger than the API server takes. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return size <= MAX_BODY_BYTES ? Buffer.concat(chunks) : undefined;
}
