import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Relay {
  /** `https://127.0.0.1:port` */
  readonly server: string;
  /** Ends all connections, and new ones as they come, until what it returns is called. */
  cut(): () => void;
  close(): Promise<void>;
}

/** Passes bytes on to a server, so that the way there can be cut without touching the server. */
export async function startRelay(host: string, port: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(port, host);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      // Whatever ends one half ends the other: the error shows itself to whoever called.
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  const endAll = (): void => sockets.forEach((socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      isCut = true;
      endAll();
      return () => {
        isCut = false;
      };
    },
    async close() {
      server.close();
      endAll();
      await once(server, 'close');
    },
  };
}
