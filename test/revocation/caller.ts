import { Agent, request } from 'node:http';

/** Asks a service on a loopback port as fast as one process can. */
export class Caller implements Disposable {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** The status that the holder of that token gets, there or at `/`. */
  async status({ token, path = '/' }: { readonly token: string; readonly path?: string }): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const headers = { authorization: `Bearer ${token}` };
    const sent = request({ host: '127.0.0.1', port: this.#port, path, agent: this.#agent, headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', (error) => {
      // The service closes connections that are idle, now and then while one is taken up again.
      if (sent.reusedSocket) resolve(this.status({ token, path }));
      else reject(error);
    });
    sent.end();
    return promise;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
