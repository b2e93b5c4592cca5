import type { IncomingHttpHeaders } from 'node:http';
import { type RequestOptions, request } from 'node:https';

import type { KubeConfigLike } from '../../src/kubernetes/kube-config.ts';

export interface WatchEvent {
  readonly type: string;
  readonly object: {
    readonly kind?: string;
    readonly apiVersion?: string;
    readonly metadata: {
      readonly name?: string;
      readonly resourceVersion?: string;
      readonly deletionTimestamp?: string;
      readonly [field: string]: unknown;
    };
    readonly [field: string]: unknown;
  };
}

/** An answer that goes on, line by line. */
export interface OpenWatch extends Disposable {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** What has come so far: events, or the Status of a refusal. */
  readonly events: readonly WatchEvent[];
  /** Resolves once an event for which this holds has come, with it; rejects after 10 s of real time. */
  find(holds: (event: WatchEvent) => boolean): Promise<WatchEvent>;
  /** How the answer ended: `end`, or the code of the error. */
  readonly ended: Promise<string>;
  /** Takes nothing more off the connection until `resume`. */
  pause(): void;
  resume(): void;
}

const DEADLINE_MS = 10_000;

/** Opens `path` (`/api/v1/pods?watch=1`) as whoever the kubeconfig is; rejects if nothing is answered. */
export async function openWatch(
  kubeConfig: KubeConfigLike,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<OpenWatch> {
  const options: RequestOptions = { agent: false };
  await kubeConfig.applyToHTTPSOptions(options);
  const url = new URL(path, kubeConfig.getCurrentCluster()?.server);
  return await new Promise((resolve, reject) => {
    const sent = request(url, { ...options, headers: { ...(options.headers as object), ...headers } });
    sent.once('error', reject).end();
    sent.once('response', (response) => {
      sent.off('error', reject).on('error', () => undefined); // from here on the response tells it too
      const events: WatchEvent[] = [];
      const listeners = new Set<() => void>();
      let rest = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        events.push(...lines.map((line): WatchEvent => JSON.parse(line)));
        for (const listener of listeners) listener();
      });
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        events,
        find: (holds) =>
          new Promise((found, notFound) => {
            const seen = (): string => events.map(({ type, object }) => `${type} ${object.metadata.name}`).join(', ');
            const timer = setTimeout(() => notFound(new Error(`Not among: ${seen()}`)), DEADLINE_MS);
            const look = (): void => {
              const event = events.find(holds);
              if (!event) return;
              clearTimeout(timer);
              listeners.delete(look);
              found(event);
            };
            listeners.add(look);
            look();
          }),
        ended: new Promise((end) => {
          response.once('end', () => end('end'));
          response.once('error', (error: NodeJS.ErrnoException) => end(String(error.code)));
        }),
        pause: () => response.pause(),
        resume: () => response.resume(),
        [Symbol.dispose]: () => sent.destroy(),
      });
    });
  });
}
