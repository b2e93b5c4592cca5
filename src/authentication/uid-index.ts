/** What belongs to a uid. Most uids have one value: a set of its own only for those that have more. */
export class UidIndex<Value extends string | object> {
  readonly #values = new Map<string, Value | Set<Value>>();

  add(uid: string, value: Value): void {
    const known = this.#values.get(uid);
    if (known === undefined) this.#values.set(uid, value);
    else if (known instanceof Set) known.add(value);
    else if (known !== value) this.#values.set(uid, new Set([known, value]));
  }

  remove(uid: string, value: Value): void {
    const known = this.#values.get(uid);
    if (known === value) this.#values.delete(uid);
    else if (known instanceof Set && known.delete(value) && known.size === 0) this.#values.delete(uid);
  }

  /** A copy, so that what is done with the values may remove them. */
  get(uid: string): readonly Value[] {
    const known = this.#values.get(uid);
    if (known === undefined) return [];
    return known instanceof Set ? [...known] : [known];
  }

  /** How many uids have values. */
  get size(): number {
    return this.#values.size;
  }

  clear(): void {
    this.#values.clear();
  }
}
