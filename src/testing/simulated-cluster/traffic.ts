import { NO_REQUESTS, type RequestKind } from './request-kind.ts';

/** How often the cluster was asked for each kind of thing, by others than the cluster's own client. */
export type RequestCounters = Readonly<Record<RequestKind, number>> & {
  readonly total: number;
  /** Requests that wait for their answer now. */
  readonly pending: number;
  /** The most that ever waited at once. */
  readonly peakPending: number;
};

/** TCP connections, those of the cluster's own client excepted. */
export interface ConnectionCounters {
  readonly opened: number;
  readonly open: number;
  readonly peakOpen: number;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Counts what reaches the server. */
export class Traffic {
  readonly #requests: Mutable<RequestCounters> = {
    ...NO_REQUESTS,
    total: 0,
    pending: 0,
    peakPending: 0,
  };
  readonly #connections: Mutable<ConnectionCounters> = { opened: 0, open: 0, peakOpen: 0 };

  get requests(): RequestCounters {
    return this.#requests;
  }

  get connections(): ConnectionCounters {
    return this.#connections;
  }

  /** Returns what to call once the request is over. */
  requestBegins(kind: RequestKind): () => void {
    const requests = this.#requests;
    requests[kind] += 1;
    requests.total += 1;
    requests.pending += 1;
    requests.peakPending = Math.max(requests.peakPending, requests.pending);
    return () => {
      requests.pending -= 1;
    };
  }

  /** Returns what to call once the connection is closed. */
  connectionOpens(): () => void {
    const connections = this.#connections;
    connections.opened += 1;
    connections.open += 1;
    connections.peakOpen = Math.max(connections.peakOpen, connections.open);
    return () => {
      connections.open -= 1;
    };
  }
}
