import type { Clock } from '../authentication/clock.ts';
import type { Log } from '../authentication/log.ts';
import type {
  Coverage,
  RevocationListener,
  RevocationSource,
  SeenObject,
  WatchedKind,
  WatchState,
} from '../authentication/revocation-source.ts';
import type { PodChanges } from '../authorization/calling-pod.ts';
import type { ApiServer } from './api-server.ts';
import { ObjectLookup } from './object-lookup.ts';
import { ResourceWatch, type ResourceWatchParts } from './resource-watch.ts';
import type { ObjectEvent } from './watch-event.ts';
import { watchGrant } from './watch-rights.ts';
import { WatchTrouble } from './watch-trouble.ts';
import { wordsOf } from './words-of.ts';
import { worstState } from './worst-state.ts';

export interface ClusterWatchOptions {
  /** Whose Pods and ServiceAccounts to watch; `undefined`: those of all. */
  readonly namespaces: readonly string[] | undefined;
  /** For how long an identity may be used after the last proof of life. */
  readonly maxAgeMs: number;
}

/** For how long `ready()` waits for watches to begin. */
const longestReadyMs = 5_000;

/** Watches of Pods, ServiceAccounts and Nodes, each for itself. */
export class ClusterWatch implements RevocationSource, PodChanges {
  readonly #watches: readonly ResourceWatch<WatchedKind>[];
  readonly #lookup: ObjectLookup;
  readonly #log: Log;
  #onPodChange: (uid: string) => void = () => {};
  #isClosed = false;

  constructor(apiServer: ApiServer, { namespaces, maxAgeMs }: ClusterWatchOptions, clock: Clock, log: Log) {
    this.#log = log;
    this.#lookup = new ObjectLookup(apiServer, watchGrant(namespaces));
    const trouble = new WatchTrouble(log, { forbidden: 'watch_forbidden', regained: 'deletions are noticed again' });
    const parts: ResourceWatchParts = {
      apiServer,
      clock,
      grantTo: watchGrant(namespaces),
      // Half of the short term, so that there are two proofs of life in it.
      timeoutSeconds: Math.round(Math.min(30, Math.max(5, maxAgeMs / 2_000))),
      report: (watch, failure) => trouble.report(watch, failure),
    };
    const places = namespaces ?? [undefined];
    this.#watches = [
      ...places.flatMap((namespace) =>
        (['Pod', 'ServiceAccount'] as const).map((kind) => new ResourceWatch<WatchedKind>({ kind, namespace }, parts)),
      ),
      new ResourceWatch<WatchedKind>({ kind: 'Node', namespace: undefined }, parts),
    ];
  }

  start(listener: RevocationListener): void {
    for (const watch of this.#watches) watch.start((event) => this.#tell(listener, watch.resource.kind, event));
  }

  onPodChange(listener: (uid: string) => void): void {
    this.#onPodChange = listener;
  }

  async ready(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    // The one time that a watch keeps the process alive: someone waits for it.
    const timer = setTimeout(resolve, longestReadyMs);
    await Promise.race([late, Promise.all(this.#watches.map((watch) => watch.ready()))]);
    clearTimeout(timer);
  }

  coverage(kind: WatchedKind, namespace: string): Coverage | undefined {
    const watch = this.#watches.find(
      ({ resource }) =>
        resource.kind === kind && (resource.namespace === undefined || resource.namespace === namespace),
    );
    return watch?.isCovering ? watch : undefined;
  }

  async lookAt(kind: WatchedKind, namespace: string, name: string): Promise<SeenObject | undefined> {
    try {
      return await this.#lookup.find(kind, namespace, name);
    } catch (error) {
      const place = kind === 'Node' ? name : `${namespace}/${name}`;
      const message = `${kind} ${place} could not be looked at, so that its identities have the short term: ${wordsOf(error)}`;
      if (!this.#isClosed) this.#log({ level: 'warn', code: 'object_unseen', message });
      return undefined;
    }
  }

  get states(): Readonly<Record<WatchedKind, WatchState>> {
    const stateOf = (kind: WatchedKind): WatchState =>
      worstState(this.#watches.filter(({ resource }) => resource.kind === kind));
    return { Pod: stateOf('Pod'), ServiceAccount: stateOf('ServiceAccount'), Node: stateOf('Node') };
  }

  close(): void {
    this.#isClosed = true;
    this.#lookup.close();
    for (const watch of this.#watches) watch.close();
  }

  #tell(listener: RevocationListener, kind: WatchedKind, { type, uid, deletionTimestamp }: ObjectEvent): void {
    if (kind === 'Pod') this.#onPodChange(uid);
    if (type === 'DELETED') listener.deleted(kind, uid);
    else if (deletionTimestamp !== undefined) listener.terminating(kind, uid, deletionTimestamp);
  }
}
