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
import type { ApiServer } from './api-server.ts';
import type { BoundedReviewer } from './bounded-reviewer.ts';
import { type ObjectLookup, objectLookup } from './object-lookup.ts';
import { NamespaceMissing, ResourceWatch, type ResourceWatchParts, type WatchFailure } from './resource-watch.ts';
import { watchGrant } from './watch-rights.ts';
import { wordsOf } from './words-of.ts';

export interface ClusterWatchOptions {
  /** Whose Pods and ServiceAccounts to watch; `undefined`: those of all. */
  readonly namespaces: readonly string[] | undefined;
  /** For how long an identity may be used after the last proof of life. */
  readonly maxAgeMs: number;
}

/** Failures in a row that are worth an operator's attention: API servers come and go. */
const failuresThatMatter = 4;

/** For how long `ready()` waits for watches to begin. */
const longestReadyMs = 5_000;

const worstFirst: readonly WatchState[] = ['forbidden', 'interrupted', 'starting', 'live'];

/** Watches of Pods, ServiceAccounts and Nodes, each for itself. */
export class ClusterWatch implements RevocationSource {
  readonly #watches: readonly ResourceWatch[];
  readonly #lookup: ObjectLookup;
  readonly #log: Log;
  /** Those whose trouble was logged. */
  readonly #troubled = new Set<ResourceWatch>();

  constructor(
    apiServer: ApiServer,
    reviewer: Pick<BoundedReviewer, 'inTurn'>,
    { namespaces, maxAgeMs }: ClusterWatchOptions,
    clock: Clock,
    log: Log,
  ) {
    this.#log = log;
    this.#lookup = objectLookup(apiServer, reviewer, watchGrant(namespaces));
    const parts: ResourceWatchParts = {
      apiServer,
      clock,
      grantTo: watchGrant(namespaces),
      // Half of the short term, so that there are two proofs of life in it.
      timeoutSeconds: Math.round(Math.min(30, Math.max(5, maxAgeMs / 2_000))),
      report: (watch, failure) => this.#report(watch, failure),
    };
    const places = namespaces ?? [undefined];
    this.#watches = [
      ...places.flatMap((namespace) =>
        (['Pod', 'ServiceAccount'] as const).map((kind) => new ResourceWatch({ kind, namespace }, parts)),
      ),
      new ResourceWatch({ kind: 'Node', namespace: undefined }, parts),
    ];
  }

  start(listener: RevocationListener): void {
    for (const watch of this.#watches) watch.start(listener);
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
      return await this.#lookup(kind, namespace, name);
    } catch (error) {
      const place = kind === 'Node' ? name : `${namespace}/${name}`;
      const message = `${kind} ${place} could not be looked at, so that it has the short term: ${wordsOf(error)}`;
      this.#log({ level: 'warn', code: 'watch_interrupted', message });
      return undefined;
    }
  }

  get states(): Readonly<Record<WatchedKind, WatchState>> {
    const stateOf = (kind: WatchedKind): WatchState => {
      const states = this.#watches.filter(({ resource }) => resource.kind === kind).map(({ state }) => state);
      return worstFirst.find((state) => states.includes(state)) ?? 'starting';
    };
    return { Pod: stateOf('Pod'), ServiceAccount: stateOf('ServiceAccount'), Node: stateOf('Node') };
  }

  close(): void {
    for (const watch of this.#watches) watch.close();
  }

  /** Trouble is said once when it begins and once when it is over. */
  #report(watch: ResourceWatch, failure: WatchFailure | undefined): void {
    if (failure === undefined) {
      if (this.#troubled.delete(watch)) this.#say('info', 'watch_live', watch, 'deletions are noticed again');
      return;
    }
    const { error, count } = failure;
    if (this.#troubled.has(watch)) return;
    const isForbidden = watch.state === 'forbidden';
    const isMissing = error instanceof NamespaceMissing;
    const isForOperators = (isForbidden || isMissing) && !watch.hasBeenLive;
    if (!isForOperators && count < failuresThatMatter) return;
    const isSaid = isForbidden && [...this.#troubled].some(({ state }) => state === 'forbidden');
    this.#troubled.add(watch);
    if (isForbidden) {
      // One manifest grants everything that is missing.
      if (!isSaid) this.#say('warn', 'watch_forbidden', watch, error.message);
    } else this.#say('warn', isMissing ? 'watch_namespace_missing' : 'watch_interrupted', watch, error.message);
  }

  #say(level: 'warn' | 'info', code: Parameters<Log>[0]['code'], { resource }: ResourceWatch, why: string): void {
    const place = resource.namespace === undefined ? '' : ` in ${resource.namespace}`;
    this.#log({ level, code, message: `The watch of ${resource.kind}s${place}: ${why}` });
  }
}
