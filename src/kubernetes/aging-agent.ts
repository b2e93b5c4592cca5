import { Agent, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';

/** Connections live between half of this and all of it. */
const longestLifeMs = 300_000;

/**
 * A pool of kept-alive connections that live minutes, each a time of its own: a new API server, after a roll-out, gets
 * its share of the load, and not all connections move at once.
 */
export class AgingAgent extends Agent {
  readonly #endOfLife = new WeakMap<Duplex, number>();

  constructor(maxConnections: number) {
    super({ keepAlive: true, maxSockets: maxConnections, scheduling: 'lifo' });
  }

  // Without the callback, which knows the request: a connection keeps what it was opened with as long as it lives, and so
  // would keep a credential that was rotated long ago. Node is content with the connection itself.
  override createConnection(options: RequestOptions): Duplex | null | undefined {
    return super.createConnection(options);
  }

  // Node asks it whether a connection that has become free goes back into the pool.
  override keepSocketAlive(socket: Duplex): boolean {
    const now = performance.now();
    const endOfLife = this.#endOfLife.get(socket) ?? now + longestLifeMs * (0.5 + Math.random() / 2);
    this.#endOfLife.set(socket, endOfLife);
    // The types say that it returns nothing; the documentation says what it does.
    return now < endOfLife && Boolean(super.keepSocketAlive(socket));
  }
}
