import type { KubernetesObject } from '../cluster-client/kubernetes-object.ts';
import type { SimulatedClock } from './clock.ts';
import type { Kind } from './kinds.ts';
import type { VersionTraits } from './kubernetes-version.ts';
import type { WatchOptions } from './list-options.ts';
import type { Representation } from './representation.ts';
import { expired, StatusError, tooLargeVersion } from './status.ts';
import type { Change, Store } from './store.ts';

/** The body of an answer that goes on after its beginning. */
export interface Stream {
  /** Sends what comes next, until the returned function is called. */
  follow(sink: StreamSink): StreamControl;
}

export interface StreamSink {
  /** Whether more can be taken now; if not, the stream is told once it can. */
  isReady(): boolean;
  write(text: string): void;
  /** Ends the answer after what was written. */
  end(): void;
}

export interface StreamControl {
  /** The sink is ready again. */
  resume(): void;
  stop(): void;
}

interface WatchEvent {
  readonly type: Change['type'] | 'BOOKMARK' | 'ERROR';
  readonly object: object;
}

const BOOKMARK_EVERY_MS = 60_000;
const BOOKMARK_BEFORE_END_MS = 2000;
/** An API server ends a watch that names no timeout after 30 to 60 minutes. */
const MIN_TIMEOUT_SECONDS = 1800;

export interface WatchedStore {
  readonly store: Store;
  readonly clock: SimulatedClock;
  readonly version: Pick<VersionTraits, 'unstoredMetadata'>;
}

/** `GET …?watch=1`: one line of JSON for each change. Nothing is kept for a slow reader but its place in the history. */
export class Watch implements Stream {
  /** What there is to send at once. */
  readonly beginning: string;
  readonly #watched: WatchedStore;
  readonly #concerns: (change: Change) => boolean;
  readonly #options: WatchOptions;
  readonly #representation: Representation;
  /** Everything up to this version has been sent, or does not concern the watch. */
  #cursor: number;
  #isOver: boolean;

  constructor(
    watched: WatchedStore,
    kind: Kind,
    namespace: string,
    options: WatchOptions,
    representation: Representation,
  ) {
    const { store } = watched;
    this.#watched = watched;
    this.#options = options;
    this.#representation = representation;
    this.#concerns = (change) =>
      change.kind === kind && (namespace === '' || change.object.metadata.namespace === namespace);
    const { version, sendsInitialEvents, timeoutSeconds } = options;
    this.#cursor = sendsInitialEvents ? store.version : (version ?? store.version);
    const problem = problemOf(options, store);
    this.#isOver = problem !== undefined || timeoutSeconds < 0;
    this.beginning = problem
      ? lines([{ type: 'ERROR', object: problem.status }])
      : this.#linesOf(() => this.#initialEvents(store.list(kind, namespace || undefined)));
  }

  #initialEvents(objects: readonly KubernetesObject[]): WatchEvent[] {
    const { selects, sendsInitialEvents, marksInitialEnd } = this.#options;
    if (this.#isOver || !sendsInitialEvents) return [];
    const added = objects
      .filter(selects)
      .map((object): WatchEvent => ({ type: 'ADDED', object: this.#representation.one(object) }));
    if (!marksInitialEnd) return added;
    return [...added, this.#bookmark({ annotations: { 'k8s.io/initial-events-end': 'true' } })];
  }

  follow(sink: StreamSink): StreamControl {
    if (this.#isOver) {
      sink.end();
      return { resume: () => undefined, stop: () => undefined };
    }
    const { store } = this.#watched;
    let isTimeUp = false;
    const catchUp = (): void => {
      if (!sink.isReady()) return;
      const changes = store.changesSince(this.#cursor);
      if (!changes) {
        // The reader was so slow that its place is forgotten: the API server drops it.
        sink.end();
        return;
      }
      const text = this.#linesOf(() => changes.flatMap((change) => this.#eventOf(change) ?? []));
      this.#cursor = Math.max(this.#cursor, store.version);
      if (text !== '') sink.write(text);
      if (isTimeUp || this.#isOver) sink.end();
    };
    // Who cannot take anything now is told that the time is over after all that came before.
    const end = (): void => {
      isTimeUp = true;
      catchUp();
    };
    const bookmark = (): void => {
      // The answer is over already where time was moved past both at once.
      if (isTimeUp) return;
      catchUp();
      // A watch from the future has not seen what the bookmark would say it has.
      if (sink.isReady() && this.#cursor === store.version) sink.write(lines([this.#bookmark({})]));
    };
    const stops = [store.onChange(catchUp), ...this.#timers(bookmark, end)];
    catchUp();
    return {
      resume: catchUp,
      stop: () => {
        for (const stop of stops) stop();
      },
    };
  }

  #timers(bookmark: () => void, end: () => void): (() => void)[] {
    const { clock } = this.#watched;
    const { bookmarks, timeoutSeconds } = this.#options;
    const timeoutMs = 1000 * (timeoutSeconds || MIN_TIMEOUT_SECONDS * (1 + Math.random()));
    const stopEnd = clock.after(timeoutMs, end);
    if (!bookmarks) return [stopEnd];
    let stopNext = (): void => undefined;
    const everyMinute = (): void => {
      stopNext = clock.after(BOOKMARK_EVERY_MS, () => {
        bookmark();
        everyMinute();
      });
    };
    everyMinute();
    const beforeEnd = timeoutMs - BOOKMARK_BEFORE_END_MS;
    return [stopEnd, () => stopNext(), ...(beforeEnd > 0 ? [clock.after(beforeEnd, bookmark)] : [])];
  }

  /** An object that begins to be selected is added for the watch, and one that is no longer selected is deleted. */
  #eventOf(change: Change): WatchEvent | undefined {
    if (change.version <= this.#cursor || !this.#concerns(change)) return undefined;
    const { selects } = this.#options;
    const { type, object, previous } = change;
    const wasSelected = previous !== undefined && selects(previous);
    const isSelected = type !== 'DELETED' && selects(object);
    if (!wasSelected && !isSelected) return undefined;
    const eventType = !isSelected ? 'DELETED' : wasSelected ? 'MODIFIED' : 'ADDED';
    return { type: eventType, object: this.#representation.one(eventType === 'DELETED' ? lastSeen(change) : object) };
  }

  #bookmark(metadata: object): WatchEvent {
    const { store, version } = this.#watched;
    const { resourceVersion } = store;
    const object = this.#representation.bookmark({ ...version.unstoredMetadata, resourceVersion, ...metadata });
    return { type: 'BOOKMARK', object };
  }

  /** An object that cannot be shown as the caller wants it ends the watch. */
  #linesOf(events: () => readonly WatchEvent[]): string {
    try {
      return lines(events());
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      this.#isOver = true;
      return '';
    }
  }
}

/** What ends a watch as it begins: too late for another status than 200, it comes as an event. */
function problemOf({ version = 0, sendsInitialEvents }: WatchOptions, store: Store): StatusError | undefined {
  if (sendsInitialEvents) return version > store.version ? tooLargeVersion(version, store.version) : undefined;
  if (version === 0 || version >= store.forgottenUpTo) return undefined;
  return expired(`too old resource version: ${version} (${store.forgottenUpTo})`);
}

/** A deleted object is shown as it was last, at the version of its deletion; so is one that is selected no longer. */
function lastSeen({ type, object, previous }: Change): KubernetesObject {
  if (type === 'DELETED' || !previous) return object;
  const { resourceVersion } = object.metadata;
  return { ...previous, metadata: { ...previous.metadata, resourceVersion } };
}

function lines(events: readonly WatchEvent[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}
