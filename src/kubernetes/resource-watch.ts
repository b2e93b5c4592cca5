import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { Clock } from '../authentication/clock.ts';
import { Unavailability } from '../authentication/reviewer.ts';
import type { Coverage, WatchState } from '../authentication/revocation-source.ts';
import { AgingAgent } from './aging-agent.ts';
import { type Answer, type ApiServer, wholeBody } from './api-server.ts';
import { JsonLines } from './json-lines.ts';
import { jsonOf } from './json-of.ts';
import { type MetadataForm, metadataOnly } from './metadata-only.ts';
import { type Intention, refusedCall } from './refused-call.ts';
import { isOlder, type ObjectEvent, type WatchEvent, watchEventOf } from './watch-event.ts';
import { collectionPath, pluralOf, type ResourceKind } from './watched-resources.ts';
import { wordsOf } from './words-of.ts';

/** Objects of one kind, in one namespace or in all. */
export interface WatchedResource<Kind extends ResourceKind = ResourceKind> {
  readonly kind: Kind;
  readonly namespace: string | undefined;
}

/** Is told of each object that comes to be, changes, or goes. */
export type ObjectListener = (event: ObjectEvent) => void;

export interface ResourceWatchParts {
  readonly apiServer: ApiServer;
  readonly clock: Clock;
  /** How an operator lets us watch. */
  readonly grantTo: Intention['grantTo'];
  /** For how long one request watches, in seconds: its end and the next one's beginning prove that it is alive. */
  readonly timeoutSeconds: number;
  /** Told of each change of state, and of each failure. */
  readonly report: (watch: ResourceWatch, failure: WatchFailure | undefined) => void;
}

export interface WatchFailure {
  readonly error: Unavailability;
  /** In a row. */
  readonly count: number;
}

/** Something may have happened that nobody will tell us. */
class Gap extends Unavailability {
  constructor(reason: string) {
    super('api_server_error', reason);
  }
}

/** A namespace that somebody named does not exist. */
export class NamespaceMissing extends Unavailability {
  constructor(namespace: string) {
    super('api_server_error', `The namespace ${namespace} does not exist, so that nothing in it is watched`);
  }
}

const listSchema = z.object({ metadata: z.object({ resourceVersion: z.string().regex(/^[1-9]\d*$/) }) });

/** With etcd stopped a list hangs for a minute. */
const answerTimeoutMs = 5_000;
/** A watch that does not end by itself so long after its time is dead. */
const lateEndMs = 5_000;
/** Meanwhile nothing is watched: an API server that takes longer to come to a version has not come to it. */
const comeToTimeoutMs = 1_000;
/** What a watch is to show when it is resumed comes at once; so long after that it is taken to have come. */
const catchUpMs = 1_000;
/** A watch that lived for less failed, however cleanly it ended. */
const shortestLifeMs = 1_000;
const firstPauseMs = 100;
const longestPauseMs = 10_000;
/** Of what takes an operator to mend, it seems: a kube-apiserver that has just started forbids everything for a moment. */
const longestOperatorPauseMs = 60_000;

/**
 * One watch, from now on, of metadata only. It resumes where it ended, for as long as the API server remembers; what it knows
 * of the past is its coverage.
 */
export class ResourceWatch<Kind extends ResourceKind = ResourceKind> implements Coverage {
  readonly resource: WatchedResource<Kind>;
  readonly #parts: ResourceWatchParts;
  /** One connection for lists and watches, so that both see the same replica of the API server. */
  readonly #agent = new AgingAgent(1);
  readonly #settled = Promise.withResolvers<void>();
  #listener: ObjectListener | undefined;
  #state: WatchState = 'starting';
  #since = Number.POSITIVE_INFINITY;
  #provenAt = Number.NEGATIVE_INFINITY;
  /** Up to which everything has been told; `undefined`: there is no coverage. */
  #version: string | undefined;
  #call: AbortController | undefined;
  #wake: () => void = () => {};
  #hasBeenLive = false;
  #isClosed = false;

  constructor(resource: WatchedResource<Kind>, parts: ResourceWatchParts) {
    this.resource = resource;
    this.#parts = parts;
  }

  get state(): WatchState {
    return this.#state;
  }

  get since(): number {
    return this.#since;
  }

  get provenAt(): number {
    return this.#provenAt;
  }

  /** Whether we once had the rights that it takes. */
  get hasBeenLive(): boolean {
    return this.#hasBeenLive;
  }

  get isCovering(): boolean {
    return this.#version !== undefined;
  }

  start(listener: ObjectListener): void {
    this.#listener = listener;
    void this.#run();
  }

  /** Resolves once it is live, or has failed. */
  ready(): Promise<void> {
    return this.#settled.promise;
  }

  close(): void {
    this.#isClosed = true;
    this.#call?.abort();
    this.#wake();
    this.#agent.destroy();
    this.#settled.resolve();
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#isClosed) {
      const began = performance.now();
      try {
        await this.#watchOnce();
        failures = 0;
      } catch (error) {
        if (this.#isClosed) return;
        failures = performance.now() - began > longestPauseMs ? 1 : failures + 1;
        await this.#pause(this.#failed(error, failures));
      }
    }
  }

  /** Returns once the watch has ended in its time; the next one resumes it. */
  async #watchOnce(): Promise<void> {
    const { clock, timeoutSeconds } = this.#parts;
    if (this.#version === undefined) await this.#checkNamespace();
    const listedAt = clock.monotonic();
    const latest = await this.#latestVersion();
    const version = this.#version ?? latest;
    // An etcd that was restored from a backup. A watch from a future version is silent for ever.
    if (isOlder(latest, version)) throw new Gap(`The resourceVersion went back from ${version} to ${latest}`);
    const answeredAt = clock.monotonic();
    const showsLatest = version === latest || (await this.#hasComeTo(latest));
    const query = `watch=1&allowWatchBookmarks=true&resourceVersion=${version}&timeoutSeconds=${timeoutSeconds}`;
    await this.#within(answerTimeoutMs, async (signal, allow) => {
      const answer = await this.#open(`${this.#collection}?${query}`, 'PartialObjectMetadata', signal);
      if (answer.status !== 200) {
        const refused = this.#refused(await whole(answer));
        throw answer.status === 410 ? new Gap(refused.message) : refused;
      }
      allow(timeoutSeconds * 1_000 + lateEndMs);
      if (this.#version === undefined) this.#since = answeredAt;
      this.#version = version;
      this.#become('live');
      await this.#follow(answer.body, { latest, listedAt, showsLatest });
    });
  }

  async #follow(body: IncomingMessage, { latest, listedAt, showsLatest }: Resumption): Promise<void> {
    const opened = performance.now();
    const prove = (): void => {
      this.#provenAt = Math.max(this.#provenAt, listedAt);
    };
    if (this.#version === latest) prove();
    const timer = showsLatest ? setTimeout(prove, catchUpMs).unref() : undefined;
    try {
      const lines = new JsonLines();
      for await (const chunk of body as AsyncIterable<Buffer>) {
        for (const line of lines.add(chunk)) if (!isOlder(this.#tell(watchEventOf(line)), latest)) prove();
      }
    } catch (error) {
      // What cannot be read may have been a deletion.
      throw error instanceof Unavailability && error.code === 'answer_invalid' ? new Gap(error.message) : error;
    } finally {
      clearTimeout(timer);
    }
    if (performance.now() - opened < shortestLifeMs) {
      throw new Unavailability('api_server_error', 'The API server ended the watch at once');
    }
  }

  /** @returns the version that the watch has come to */
  #tell(event: WatchEvent): string {
    if (event.type === 'ERROR') {
      if (event.code === 410) throw new Gap(event.message);
      throw new Unavailability('api_server_error', `The watch ends with ${event.code}: ${event.message}`);
    }
    const { resourceVersion } = event;
    const last = this.#version ?? resourceVersion;
    if (isOlder(resourceVersion, last))
      throw new Gap(`The resourceVersion went back from ${last} to ${resourceVersion}`);
    this.#version = resourceVersion;
    if (event.type !== 'BOOKMARK') this.#listener?.(event);
    return resourceVersion;
  }

  /** Where to watch from. Without a resourceVersion a list is answered as etcd has it. */
  async #latestVersion(): Promise<string> {
    const answer = await this.#get(`${this.#collection}?limit=1`, 'PartialObjectMetadataList');
    if (answer.status !== 200) throw this.#refused(answer);
    const list = listSchema.safeParse(jsonOf(answer.body));
    if (!list.success) throw new Unavailability('answer_invalid', 'The API server lists something that is no list');
    return list.data.metadata.resourceVersion;
  }

  /**
   * Whether watches of this API server show what happened up to that version. One that is cut off, or whose cache has fallen
   * behind, lets watches end and resume as if nothing were, with bookmarks; and it may list what it cannot show yet. But for a list
   * with a resourceVersion it waits until its cache has come to it. Of one name such a list costs next to nothing.
   */
  async #hasComeTo(version: string): Promise<boolean> {
    const { kind, namespace = 'default' } = this.resource;
    const query = `fieldSelector=metadata.name%3Dnone&resourceVersion=${version}&resourceVersionMatch=NotOlderThan`;
    try {
      const path = `${collectionPath(kind, namespace)}?${query}`;
      return (await this.#get(path, 'PartialObjectMetadataList', comeToTimeoutMs)).status === 200;
    } catch {
      // Whatever it was: the watch will say so itself, or go on without this proof.
      return false;
    }
  }

  /** One that does not exist lists as empty, and is never heard of. */
  async #checkNamespace(): Promise<void> {
    const { namespace } = this.resource;
    if (namespace === undefined) return;
    const answer = await this.#get(`/api/v1/namespaces/${namespace}`, 'PartialObjectMetadata');
    if (answer.status === 404) throw new NamespaceMissing(namespace);
    if (answer.status !== 200) throw this.#refused(answer, `get the namespace ${namespace}`);
  }

  async #get(path: string, form: MetadataForm, timeoutMs: number = answerTimeoutMs): Promise<Answer> {
    return await this.#within(timeoutMs, async (signal) => whole(await this.#open(path, form, signal)));
  }

  #open(path: string, form: MetadataForm, signal: AbortSignal): Promise<Answer<IncomingMessage>> {
    return this.#parts.apiServer.open(path, metadataOnly(form), signal, this.#agent);
  }

  #refused(answer: Answer, doing = `list and watch ${pluralOf(this.resource.kind)}`): Unavailability {
    return refusedCall(answer, { doing, grantTo: this.#parts.grantTo });
  }

  get #collection(): string {
    return collectionPath(this.resource.kind, this.resource.namespace);
  }

  /** For how long to leave the API server alone. */
  #failed(error: unknown, count: number): number {
    const why = error instanceof Unavailability ? error : new Unavailability('api_server_unreachable', wordsOf(error));
    if (why instanceof Gap) {
      this.#version = undefined;
      this.#since = Number.POSITIVE_INFINITY;
    }
    this.#become(why.code === 'reviewer_forbidden' ? 'forbidden' : 'interrupted', { error: why, count });
    if (why instanceof Gap && count === 1) return 0;
    const isForOperators = why.code === 'reviewer_forbidden' || why instanceof NamespaceMissing;
    const longest = isForOperators ? longestOperatorPauseMs : longestPauseMs;
    const exponential = Math.min(longest, firstPauseMs * 2 ** (count - 1));
    return Math.max(exponential * (0.5 + Math.random() / 2), (why.retryAfterSeconds ?? 0) * 1_000);
  }

  #become(state: WatchState, failure?: WatchFailure): void {
    this.#state = state;
    if (state === 'live') this.#hasBeenLive = true;
    this.#settled.resolve();
    this.#parts.report(this, failure);
  }

  /** Never keeps the process alive, and ends with `close()`. */
  #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms).unref();
    this.#wake = () => {
      clearTimeout(timer);
      resolve();
    };
    return promise;
  }

  /** Work that ends with `close()`, and in the time that it is allowed. */
  async #within<T>(
    timeoutMs: number,
    work: (signal: AbortSignal, allow: (ms: number) => void) => Promise<T>,
  ): Promise<T> {
    if (this.#isClosed) throw new Unavailability('authenticator_closed', 'The watch is closed');
    const call = new AbortController();
    this.#call = call;
    const { promise: over, reject } = Promise.withResolvers<never>();
    call.signal.addEventListener('abort', () => reject(call.signal.reason as Error), { once: true });
    let timer: NodeJS.Timeout | undefined;
    const allow = (ms: number): void => {
      clearTimeout(timer);
      const late = new Unavailability('api_server_timeout', `No end within ${ms} ms`);
      timer = setTimeout(() => call.abort(late), ms).unref();
    };
    allow(timeoutMs);
    try {
      return await Promise.race([over, work(call.signal, allow)]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What was found out just before a watch was resumed. */
interface Resumption {
  /** The version that etcd had. */
  readonly latest: string;
  /** When it was asked, on the monotonic clock. */
  readonly listedAt: number;
  /** Whether the watch is to show everything up to then at once. */
  readonly showsLatest: boolean;
}

async function whole({ body, ...answer }: Answer<IncomingMessage>): Promise<Answer> {
  return { ...answer, body: await wholeBody(body) };
}
