import { z } from 'zod';
import { abandonable } from '../authentication/abandonable.ts';
import { authenticatorClosed, Unavailability } from '../authentication/reviewer.ts';
import type { SeenObject, WatchedKind } from '../authentication/revocation-source.ts';
import { AgingAgent } from './aging-agent.ts';
import { type ApiServer, wholeBody } from './api-server.ts';
import { jsonOf } from './json-of.ts';
import { metadataOnly } from './metadata-only.ts';
import { type Intention, refusedCall } from './refused-call.ts';
import { timestamp } from './timestamp.ts';
import { collectionPath, pluralOf } from './watched-resources.ts';

/** Others wait for their turn, and that counts: an API server that takes so long for them is left alone. */
const maxConnections = 8;
const defaultTimeoutMs = 5_000;

const listSchema = z.object({
  items: z
    .array(
      z.object({
        metadata: z.object({ name: z.string(), uid: z.string().min(1), deletionTimestamp: timestamp.optional() }),
      }),
    )
    // Where there is none of that name.
    .nullable(),
});

/**
 * Objects as the API server has them now: without a resourceVersion it asks etcd. As a list of one name, which takes the
 * right to list that a watch needs too, and costs the API server no more than a GET. Apart from the reviews, which an API
 * server that is cut off from etcd goes on answering, and without keeping the process alive.
 */
export class ObjectLookup {
  readonly #apiServer: ApiServer;
  readonly #grantTo: Intention['grantTo'];
  readonly #timeoutMs: number;
  readonly #agent = new AgingAgent(maxConnections);
  readonly #calls = new Set<AbortController>();
  #isClosed = false;

  constructor(apiServer: ApiServer, grantTo: Intention['grantTo'], timeoutMs: number = defaultTimeoutMs) {
    this.#apiServer = apiServer;
    this.#grantTo = grantTo;
    this.#timeoutMs = timeoutMs;
  }

  /** `undefined` where there is none of that name. @throws {Unavailability} where it cannot be known */
  async find(kind: WatchedKind, namespace: string, name: string): Promise<SeenObject | undefined> {
    if (this.#isClosed) throw authenticatorClosed();
    const call = new AbortController();
    const late = new Unavailability('api_server_timeout', `No answer within ${this.#timeoutMs} ms`);
    const timer = setTimeout(() => call.abort(late), this.#timeoutMs).unref();
    this.#calls.add(call);
    try {
      return await abandonable(this.#find(kind, namespace, name, call.signal), call.signal);
    } finally {
      clearTimeout(timer);
      this.#calls.delete(call);
    }
  }

  /** Ends those in flight, and refuses those that come later: they would open connections again. */
  close(): void {
    this.#isClosed = true;
    for (const call of this.#calls) call.abort(authenticatorClosed());
    this.#agent.destroy();
  }

  async #find(
    kind: WatchedKind,
    namespace: string,
    name: string,
    signal: AbortSignal,
  ): Promise<SeenObject | undefined> {
    const path = `${collectionPath(kind, namespace)}?fieldSelector=${encodeURIComponent(`metadata.name=${name}`)}`;
    const accept = metadataOnly('PartialObjectMetadataList');
    const { body, ...answer } = await this.#apiServer.open(path, accept, signal, this.#agent);
    const text = await wholeBody(body);
    if (answer.status !== 200) {
      throw refusedCall({ ...answer, body: text }, { doing: `list ${pluralOf(kind)}`, grantTo: this.#grantTo });
    }
    return objectIn(jsonOf(text), name);
  }
}

function objectIn(list: unknown, name: string): SeenObject | undefined {
  const parsed = listSchema.safeParse(list);
  if (!parsed.success) throw new Unavailability('answer_invalid', 'The API server lists something that is no list');
  const object = parsed.data.items?.find(({ metadata }) => metadata.name === name);
  return object && { uid: object.metadata.uid, deletionTimestamp: object.metadata.deletionTimestamp };
}
