/** What a token may be bound to, and what is watched. Secrets are not: the right to watch them exposes their contents. */
export type WatchedKind = 'Pod' | 'ServiceAccount' | 'Node';

/** The part of the past of which everything is known. On the monotonic clock. */
export interface Coverage {
  /** Whatever was deleted since then has been told, or will be once the source has caught up. */
  readonly since: number;
  /** The last proof of life: whatever was deleted before it has been told. */
  readonly provenAt: number;
}

/** Gets what happens to the cluster's objects, whether or not a token of theirs was ever seen. */
export interface RevocationListener {
  deleted(kind: WatchedKind, uid: string): void;
  /** @param deletionTimestamp in epoch milliseconds; a grace period puts it ahead */
  terminating(kind: WatchedKind, uid: string, deletionTimestamp: number): void;
}

/**
 * - `starting`: nothing is known yet.
 * - `live`: deletions are told as they happen.
 * - `interrupted`: it is tried again; what happens meanwhile is told later, or a gap.
 * - `forbidden`: we have not the rights; that is tried again too, less often.
 */
export type WatchState = 'starting' | 'live' | 'interrupted' | 'forbidden';

/** An object as it was when it was looked at. */
export interface SeenObject {
  readonly uid: string;
  /** In epoch milliseconds. */
  readonly deletionTimestamp: number | undefined;
}

/** What tells of deletions as they happen. */
export interface RevocationSource {
  /** Begins to tell, and goes on until it is closed. */
  start(listener: RevocationListener): void;
  /** Resolves once it is known whether it can be told. Never rejects: without a watch there is service all the same. */
  ready(): Promise<void>;
  /** For objects of that kind and namespace; `undefined` while there is none. */
  coverage(kind: WatchedKind, namespace: string): Coverage | undefined;
  /**
   * Looks at an object as it is now. `undefined` where there is none of that name, or it is not to be known. Never rejects,
   * and ends within a bounded time.
   */
  lookAt(kind: WatchedKind, namespace: string, name: string): Promise<SeenObject | undefined>;
  readonly states: Readonly<Record<WatchedKind, WatchState>>;
  close(): void;
}
