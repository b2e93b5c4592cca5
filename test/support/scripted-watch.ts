import type {
  Coverage,
  RevocationListener,
  RevocationSource,
  SeenObject,
  WatchedKind,
  WatchState,
} from '../../src/authentication/revocation-source.ts';

/** A watch that tells, and has covered, what a test says. */
export class ScriptedWatch implements RevocationSource {
  /** Of each kind; those missing are not covered. */
  covered: Partial<Record<WatchedKind, Coverage>> = {};
  /** Of Pods and ServiceAccounts; `undefined`: all. */
  namespaces: readonly string[] | undefined;
  states: Record<WatchedKind, WatchState> = { Pod: 'live', ServiceAccount: 'live', Node: 'live' };
  /** What it sees where it looks, by name; the others stand, with the uid that `uid-of-…` makes of their name. */
  readonly objects = new Map<string, SeenObject | undefined>();
  /** The names that it was asked to look at. */
  readonly lookedAt: string[] = [];
  started = 0;
  closed = 0;
  #listener: RevocationListener | undefined;

  start(listener: RevocationListener): void {
    this.#listener = listener;
    this.started += 1;
  }

  async ready(): Promise<void> {}

  coverage(kind: WatchedKind, namespace: string): Coverage | undefined {
    const isWatched = kind === 'Node' || (this.namespaces?.includes(namespace) ?? true);
    return isWatched ? this.covered[kind] : undefined;
  }

  async lookAt(_kind: WatchedKind, _namespace: string, name: string): Promise<SeenObject | undefined> {
    this.lookedAt.push(name);
    return this.objects.has(name) ? this.objects.get(name) : { uid: `uid-of-${name}`, deletionTimestamp: undefined };
  }

  close(): void {
    this.closed += 1;
  }

  /** Everything since then is covered, and proven until then. */
  cover(coverage: Coverage, kinds: readonly WatchedKind[] = ['Pod', 'ServiceAccount', 'Node']): void {
    for (const kind of kinds) this.covered[kind] = coverage;
  }

  delete(kind: WatchedKind, uid: string): void {
    this.#listener?.deleted(kind, uid);
  }

  terminate(kind: WatchedKind, uid: string, deletionTimestamp: number): void {
    this.#listener?.terminating(kind, uid, deletionTimestamp);
  }
}
