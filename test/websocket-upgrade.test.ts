import { createServer, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect, test } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { type Authenticator, bearerToken, createAuthenticator, ServiceAccountAuthError } from '../src/authenticator.ts';
import { startSimulatedCluster } from '../src/testing/simulated-cluster/simulated-cluster.ts';
import { rawRequest } from './express/support/raw-request.ts';

/** A server that greets those it knows over WebSocket, without Express: all that a user writes. */
async function greetingServer(authenticator: Authenticator): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new WebSocketServer({ noServer: true });
  const upgrade = async (req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    socket.on('error', () => socket.destroy());
    try {
      const identity = await authenticator.authenticate(bearerToken(req.headersDistinct['authorization']), {
        peer: req.socket.remoteAddress,
      });
      sockets.handleUpgrade(req, socket, head, (webSocket) => webSocket.send(`Hello ${identity.pod?.name}`));
    } catch (error) {
      if (!(error instanceof ServiceAccountAuthError)) throw error;
      const { status, headers, message } = error;
      const lines = Object.entries({ ...headers, Connection: 'close' }).map(([name, value]) => `${name}: ${value}`);
      socket.end([`HTTP/1.1 ${status} ${message}`, ...lines, '', ''].join('\r\n'));
    }
  };
  const server = createServer().on('upgrade', (req, socket, head) => void upgrade(req, socket, head));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const webSocket of sockets.clients) webSocket.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}

const upgradeLines = [
  'GET / HTTP/1.1',
  'Host: a',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

test('the authenticator serves WebSocket upgrades as it is, without Express', async () => {
  await using cluster = await startSimulatedCluster();
  const web = await cluster.createPod('shop/web-1', { serviceAccount: 'web' });
  const token = await web.token({ audiences: 'orders' });
  await using authenticator = createAuthenticator({
    audiences: 'orders',
    kubeConfig: cluster.kubeConfig,
    clock: cluster.clock,
    log: false,
  });
  await using server = await greetingServer(authenticator);

  const good = new WebSocket(`ws://127.0.0.1:${server.port}`, { headers: { Authorization: `Bearer ${token}` } });
  const [greeting] = (await once(good, 'message')) as [Buffer];
  expect(String(greeting)).toBe('Hello web-1');
  good.terminate();

  // rawRequest resolves only once the server has ended the socket.
  const ask = (...headers: string[]): Promise<string> => rawRequest(server.port, ...upgradeLines, ...headers);
  expect(await ask(`Authorization: Bearer ${cluster.signToken({ aud: 'orders' }, { key: 'foreign' })}`)).toBe(
    'HTTP/1.1 401 The bearer token is not accepted\r\n' +
      'WWW-Authenticate: Bearer realm="kubernetes", error="invalid_token", error_description="The bearer token is not accepted"\r\n' +
      'Connection: close\r\n\r\n',
  );
  expect(await ask()).toContain(
    'HTTP/1.1 401 A bearer token is required\r\nWWW-Authenticate: Bearer realm="kubernetes"\r\n',
  );
  expect(await ask('Authorization: Bearer one', 'Authorization: Bearer two')).toContain('HTTP/1.1 400 ');

  using fault = cluster.fault('tokenreviews', { status: 503 });
  const other = await web.token({ audiences: 'orders' });
  expect(await ask(`Authorization: Bearer ${other}`)).toMatch(/^HTTP\/1\.1 503 .*\r\nRetry-After: 1\r\n/);
  expect(fault.hits).toBeGreaterThan(0);
});
