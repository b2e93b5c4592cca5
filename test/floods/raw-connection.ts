import { connect, type Socket } from 'node:net';

/** A kept-alive connection for one request at a time, which costs its client far less than its server. */
export class RawConnection {
  readonly #socket: Socket;
  #received = '';
  #answered: ((answer: string) => void) | undefined;

  constructor(port: number, localAddress: string) {
    this.#socket = connect({ host: '127.0.0.1', port, localAddress, noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (chunk: string) => this.#receive(chunk));
    this.#socket.on('error', () => this.#answered?.(''));
    this.#socket.on('close', () => this.#answered?.(''));
  }

  get isIdle(): boolean {
    return this.#answered === undefined;
  }

  /** The whole answer; empty where the connection was lost. */
  get(token: string): Promise<string> {
    return new Promise((resolve) => {
      this.#answered = (answer) => {
        this.#answered = undefined;
        this.#received = '';
        resolve(answer);
      };
      this.#socket.write(`GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: string): void {
    this.#received += chunk;
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.#received.slice(0, headEnd))?.[1] ?? 0);
    if (this.#received.length >= headEnd + 4 + length) this.#answered?.(this.#received);
  }
}

/** Connections from one address, as many as are needed at once up to a bound. */
export class RawConnections {
  readonly #port: number;
  readonly #localAddress: string;
  readonly #most: number;
  readonly #all: RawConnection[] = [];

  constructor(port: number, localAddress: string, most: number) {
    this.#port = port;
    this.#localAddress = localAddress;
    this.#most = most;
  }

  idle(): RawConnection | undefined {
    const idle = this.#all.find((one) => one.isIdle);
    if (idle !== undefined || this.#all.length >= this.#most) return idle;
    const added = new RawConnection(this.#port, this.#localAddress);
    this.#all.push(added);
    return added;
  }

  close(): void {
    for (const one of this.#all) one.close();
  }
}

/** What a request came to: the identity's status, or the error's code. */
export function outcomeOf(answer: string): string {
  return /"code":"(\w+)"/.exec(answer)?.[1] ?? (answer.startsWith('HTTP/1.1 200') ? '200' : 'no answer');
}

/** What was missed while this process had no turn is not made up for at once beyond so much: that would be another flood. */
const mostMissedMs = 5;

/** Calls so many times a second at most, at even distances, until it is over. */
export async function paced(perSecond: number, isOver: () => boolean, call: () => void): Promise<void> {
  const everyMs = 1000 / perSecond;
  let next = performance.now();
  while (!isOver()) {
    next = Math.max(next, performance.now() - mostMissedMs - everyMs);
    for (; next < performance.now() && !isOver(); next += everyMs) call();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
