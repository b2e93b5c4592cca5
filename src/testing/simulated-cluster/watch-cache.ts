import type { Change, Store } from './store.ts';

/**
 * Keeps an API server's own store like etcd's: each change is taken over at once, or, while it is held, later. An API server
 * answers watches from there, and whatever may be a little old.
 */
export class WatchCache {
  readonly #etcd: Store;
  readonly #store: Store;
  readonly #stop: () => void;
  #missed: Change[] = [];
  #isHeld = false;

  constructor(etcd: Store, store: Store) {
    this.#etcd = etcd;
    this.#store = store;
    store.load(etcd);
    this.#stop = etcd.onChange((change) => {
      if (this.#isHeld) this.#missed.push(change);
      else store.replay(change);
    });
  }

  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    for (const change of this.#missed.splice(0)) this.#store.replay(change);
  }

  /** Reads everything anew, without its history, as an API server that starts. */
  reload(): void {
    this.#missed = [];
    this.#store.load(this.#etcd);
  }

  close(): void {
    this.#stop();
  }
}
