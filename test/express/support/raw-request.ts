import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

/** Sends these lines of HTTP as they are, and resolves with all that comes back until the server ends the connection. */
export async function rawRequest(port: number, ...lines: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  return text(socket);
}

/** The statuses of the responses in what came back, in their order. */
export function statusesOf(answer: string): number[] {
  return [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}
