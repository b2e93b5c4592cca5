import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Authenticator, bearerToken, ServiceAccountAuthError } from 'k8s-service-account-auth';
import { type WebSocket, WebSocketServer } from 'ws';

export interface OrderUpdates {
  /** Tells everyone who listens. */
  readonly publish: (update: object) => void;
  /** Sends everyone away. */
  readonly close: () => void;
}

/** RFC 6455 section 7.4.1: the server goes down; the connection is ended for a reason of policy. */
const goingAway = 1001;
const policyViolation = 1008;

/**
 * A WebSocket for each Pod of the shop that listens, for as long as that Pod exists: a request is checked once, a connection
 * goes on.
 */
export function serveOrderUpdates(server: Server, authenticator: Authenticator, shopNamespace: string): OrderUpdates {
  const sockets = new WebSocketServer({ noServer: true });

  const upgrade = async (req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    // Node has stopped listening for errors: without this a caller who hangs up meanwhile would end the process.
    socket.on('error', () => socket.destroy());
    try {
      const token = bearerToken(req.headersDistinct['authorization']);
      const identity = await authenticator.authenticate(token, { peer: req.socket.remoteAddress });
      const { namespace, pod } = identity;
      if (namespace !== shopNamespace || pod === undefined) throw new ServiceAccountAuthError('guard_refused');
      sockets.handleUpgrade(req, socket, head, (webSocket) => {
        const stop = authenticator.onRevoked(identity, (reason) => webSocket.close(policyViolation, reason));
        webSocket.once('close', stop);
        greet(webSocket, pod.name);
      });
    } catch (error) {
      refuse(socket, error);
    }
  };
  server.on('upgrade', (req, socket, head) => void upgrade(req, socket, head));

  return {
    publish: (update) => {
      for (const webSocket of sockets.clients) webSocket.send(JSON.stringify(update));
    },
    close: () => {
      for (const webSocket of sockets.clients) webSocket.close(goingAway);
    },
  };
}

function greet(webSocket: WebSocket, pod: string): void {
  webSocket.on('error', () => webSocket.terminate());
  webSocket.send(JSON.stringify({ listening: pod }));
}

function refuse(socket: Duplex, error: unknown): void {
  const known = error instanceof ServiceAccountAuthError ? error : undefined;
  const status = known?.status ?? 500;
  const lines = Object.entries({ ...known?.headers, Connection: 'close' }).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} ${known?.message ?? 'Internal Server Error'}`, ...lines, '', ''].join('\r\n'));
}
