import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** As many different loopback ports that nobody listens on. All are held until the last is found, so none comes twice. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  const ports: number[] = [];
  try {
    for (let i = 0; i < count; i += 1) {
      const server = createServer().listen(0, '127.0.0.1');
      servers.push(server);
      await once(server, 'listening');
      const address = server.address();
      if (address === null || typeof address === 'string') {
        throw new Error(`A TCP server listens on ${String(address)}`);
      }
      ports.push(address.port);
    }
  } finally {
    for (const server of servers) {
      server.close();
    }
  }
  return ports;
}
