import { isDeepStrictEqual } from 'node:util';
import type { KubernetesObject } from '../cluster-client/kubernetes-object.ts';
import type { Kind } from './kinds.ts';
import { alreadyExists, notFound } from './status.ts';

export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly kind: Kind;
  readonly object: KubernetesObject;
  /** The object as it was before, unless it was added. */
  readonly previous: KubernetesObject | undefined;
  /** The resourceVersion of the change. */
  readonly version: number;
}

/** As many changes are remembered; whoever was away for longer has to start anew. */
const REMEMBERED_CHANGES = 1000;

/** The cluster's objects. They are never changed in place: each change stores a new one with a higher resourceVersion. */
export class Store {
  #objects = new Map<Kind, Map<string, KubernetesObject>>();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #untold: Change[] = [];
  #history: Change[] = [];
  #forgottenUpTo = 0;
  #version = 0;

  /** The version of the latest change. */
  get version(): number {
    return this.#version;
  }

  /** As lists carry it. */
  get resourceVersion(): string {
    return String(this.#version);
  }

  /** The changes after this version are remembered. */
  get forgottenUpTo(): number {
    return this.#forgottenUpTo;
  }

  get(kind: Kind, namespace: string | undefined, name: string): KubernetesObject | undefined {
    return this.#objects.get(kind)?.get(keyOf(kind, namespace, name));
  }

  /** Like `get`, but throws Kubernetes' 404. */
  require(kind: Kind, namespace: string | undefined, name: string): KubernetesObject {
    const object = this.get(kind, namespace, name);
    if (!object) throw notFound(kind, name);
    return object;
  }

  /** In the order of their keys, as etcd has them; without a namespace, those of all namespaces. */
  list(kind: Kind, namespace?: string): KubernetesObject[] {
    return sorted(this.#objects.get(kind) ?? new Map<string, KubernetesObject>(), namespace);
  }

  /** The list as it was at an earlier version; undefined if that is forgotten. */
  listAt(version: number, kind: Kind, namespace?: string): KubernetesObject[] | undefined {
    const since = this.changesSince(version);
    if (!since) return undefined;
    const objects = new Map(this.#objects.get(kind));
    for (const { object, previous } of since.filter((change) => change.kind === kind).toReversed()) {
      const key = keyOf(kind, object.metadata.namespace, object.metadata.name);
      if (previous) objects.set(key, previous);
      else objects.delete(key);
    }
    return sorted(objects, namespace);
  }

  /** The changes after a version, in their order; undefined if some of them are forgotten. */
  changesSince(version: number): readonly Change[] | undefined {
    if (version < this.#forgottenUpTo) return undefined;
    const first = this.#history.findLastIndex((change) => change.version <= version) + 1;
    return this.#history.slice(first);
  }

  create(kind: Kind, object: KubernetesObject): KubernetesObject {
    const { namespace, name } = object.metadata;
    if (this.get(kind, namespace, name)) throw alreadyExists(kind, name);
    return this.#put('ADDED', kind, object, undefined);
  }

  /** What changes nothing is no change. */
  update(kind: Kind, object: KubernetesObject): KubernetesObject {
    const previous = this.require(kind, object.metadata.namespace, object.metadata.name);
    if (isDeepStrictEqual(content(object), content(previous))) return previous;
    return this.#put('MODIFIED', kind, object, previous);
  }

  /** Returns the object as the change has it. */
  remove(kind: Kind, object: KubernetesObject): KubernetesObject {
    const { namespace, name } = object.metadata;
    const previous = this.require(kind, namespace, name);
    this.#objects.get(kind)?.delete(keyOf(kind, namespace, name));
    const removed = this.#atNextVersion(object);
    this.#remember({ type: 'DELETED', kind, object: removed, previous, version: this.#version });
    return removed;
  }

  /** Makes a change of another store one's own, its version included. */
  replay(change: Change): void {
    const { kind, object } = change;
    const key = keyOf(kind, object.metadata.namespace, object.metadata.name);
    if (change.type === 'DELETED') this.#objects.get(kind)?.delete(key);
    else this.#ofKind(kind).set(key, object);
    this.#version = change.version;
    this.#remember(change);
  }

  /** Forgets how it came to be as it is, as etcd does when it is compacted. */
  forgetHistory(): void {
    this.#history = [];
    this.#forgottenUpTo = this.#version;
  }

  /** Becomes what another store is now, without its history. */
  load(other: Store): void {
    this.#objects = new Map([...other.#objects].map(([kind, objects]) => [kind, new Map(objects)]));
    this.#version = other.#version;
    this.forgetHistory();
  }

  /** Calls `listener` after each change until the function it returns is called. */
  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #put(
    type: Change['type'],
    kind: Kind,
    object: KubernetesObject,
    previous: KubernetesObject | undefined,
  ): KubernetesObject {
    const stored = this.#atNextVersion(object);
    this.#ofKind(kind).set(keyOf(kind, stored.metadata.namespace, stored.metadata.name), stored);
    this.#remember({ type, kind, object: stored, previous, version: this.#version });
    return stored;
  }

  #ofKind(kind: Kind): Map<string, KubernetesObject> {
    let objects = this.#objects.get(kind);
    if (!objects) this.#objects.set(kind, (objects = new Map()));
    return objects;
  }

  #atNextVersion(object: KubernetesObject): KubernetesObject {
    this.#version += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: this.resourceVersion } };
  }

  /** A change that a listener makes is told after the one it reacts to, so that all listeners see the same order. */
  #remember(change: Change): void {
    this.#history.push(change);
    const [forgotten] = this.#history.splice(0, this.#history.length - REMEMBERED_CHANGES);
    if (forgotten) this.#forgottenUpTo = forgotten.version;
    this.#untold.push(change);
    if (this.#untold.length > 1) return;
    for (let next: Change | undefined = change; next; this.#untold.shift(), next = this.#untold[0]) {
      for (const listener of this.#listeners) listener(next);
    }
  }
}

function sorted(objects: ReadonlyMap<string, KubernetesObject>, namespace: string | undefined): KubernetesObject[] {
  const prefix = namespace === undefined ? '' : `${namespace}/`;
  return [...objects]
    .filter(([key]) => key.startsWith(prefix))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, object]) => object);
}

/** What is to be kept, whatever its version. */
function content({ metadata, ...object }: KubernetesObject): unknown {
  return JSON.parse(JSON.stringify({ ...object, metadata: { ...metadata, resourceVersion: '' } }));
}

function keyOf(kind: Kind, namespace: string | undefined, name: string): string {
  return kind.namespaced ? `${namespace}/${name}` : name;
}
