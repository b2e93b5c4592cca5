import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { createServerCertificate } from '../../src/testing/simulated-cluster/certificate.ts';

/** What becomes of a connection. */
export type Link = (socket: Socket) => void;

export const hang: Link = () => {};
export const reset: Link = (socket) => socket.resetAndDestroy();
export const garbage: Link = (socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n');

/** A port of the loopback interface in front of a server, which may misbehave. */
export class FlakyNetwork {
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #front: Server | undefined;
  #link: Link;
  port = 0;

  constructor(target: number) {
    this.#target = target;
    this.#link = this.#through(target);
  }

  /** Listens, on the port that it once had. */
  async start(): Promise<void> {
    this.#server = createServer((socket) => {
      this.#keep(socket);
      this.#link(socket);
    });
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
    ({ port: this.port } = this.#server.address() as AddressInfo);
  }

  /** Drops all connections and refuses new ones. What `start()` begins, it ends. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#front?.close();
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    this.#drop();
    await closed;
  }

  /** From now on new connections end like this, and old ones are dropped. Default: they reach the server. */
  become(link: Link = this.#through(this.#target)): void {
    this.#link = link;
    this.#drop();
  }

  /** Puts a TLS server with a certificate of another authority in between, and returns that authority. */
  async changeCertificate(): Promise<{ readonly ca: string; readonly restore: () => void }> {
    const { key, certificate, ca } = await createServerCertificate({
      dnsNames: ['localhost'],
      addresses: [Uint8Array.of(127, 0, 0, 1)],
    });
    const front = createTlsServer({ key, cert: certificate }, (socket) => {
      // Between these two nobody needs to be sure of the other.
      const onwards = connectTls({ host: '127.0.0.1', port: this.#target, rejectUnauthorized: false });
      for (const [one, other] of [
        [socket, onwards],
        [onwards, socket],
      ] as const) {
        one.on('error', () => one.destroy());
        one.on('close', () => other.destroy());
      }
      socket.pipe(onwards).pipe(socket);
    });
    front.on('tlsClientError', () => {});
    this.#front = front;
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
    this.become(this.#through((front.address() as AddressInfo).port));
    return {
      ca,
      restore: () => {
        front.close();
        this.become();
      },
    };
  }

  #through(port: number): Link {
    return (socket) => {
      const onwards = connect(port, '127.0.0.1');
      this.#keep(onwards);
      onwards.on('close', () => socket.destroy());
      socket.on('close', () => onwards.destroy());
      socket.pipe(onwards).pipe(socket);
    };
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
