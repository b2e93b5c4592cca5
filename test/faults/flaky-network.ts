import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

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
  #link: Link;
  port = 0;

  /** @param target the server's port */
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
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    this.drop();
    await closed;
  }

  /** From now on new connections end like this, and old ones are dropped. */
  become(link: Link): void {
    this.#link = link;
    this.drop();
  }

  /** From now on new connections reach another server, and old ones are dropped. Default: the first one. */
  leadTo(port: number = this.#target): void {
    this.become(this.#through(port));
  }

  /** From now on new connections reach another server; old ones go on. */
  leadNewOnesTo(port: number): void {
    this.#link = this.#through(port);
  }

  /** The connections that are open stay so, and nothing goes over them any more. New ones are welcome. */
  silence(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  /** Drops the connections that are open. New ones are welcome. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
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
}
