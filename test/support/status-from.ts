import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';

/** The status that a caller with that token gets who calls from that address of the loopback range. */
export async function statusFrom(
  localAddress: string,
  port: number,
  path: string,
  token: string,
): Promise<number | undefined> {
  const headers = { authorization: `Bearer ${token}` };
  const sent = get({ host: '127.0.0.1', port, path, localAddress, headers });
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}
