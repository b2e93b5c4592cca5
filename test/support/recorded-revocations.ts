import type { RevocationListener, WatchedKind } from '../../src/authentication/revocation-source.ts';

/** What a watch told. */
export class RecordedRevocations implements RevocationListener {
  readonly heard: (readonly [what: 'deleted' | 'terminating', kind: WatchedKind, uid: string, time?: number])[] = [];

  deleted(kind: WatchedKind, uid: string): void {
    this.heard.push(['deleted', kind, uid]);
  }

  terminating(kind: WatchedKind, uid: string, deletionTimestamp: number): void {
    this.heard.push(['terminating', kind, uid, deletionTimestamp]);
  }
}
