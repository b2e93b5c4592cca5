/** A part of an expectation that differs between Kubernetes versions. */
export class ByVersion {
  readonly #versions: Readonly<Record<string, unknown>>;
  readonly #otherwise: unknown;

  constructor(versions: Readonly<Record<string, unknown>>, otherwise: unknown) {
    this.#versions = versions;
    this.#otherwise = otherwise;
  }

  of(version: string): unknown {
    return version in this.#versions ? this.#versions[version] : this.#otherwise;
  }
}

/** `byVersion({ '1.33': { creationTimestamp: null } }, {})`, anywhere within an expectation. */
export function byVersion(versions: Readonly<Record<string, unknown>>, otherwise: unknown): ByVersion {
  return new ByVersion(versions, otherwise);
}

/** An expectation with what that version answers. */
export function forVersion(expected: unknown, version: string): unknown {
  if (expected instanceof ByVersion) return forVersion(expected.of(version), version);
  if (Array.isArray(expected)) return expected.map((item) => forVersion(item, version));
  if (typeof expected !== 'object' || expected === null) return expected;
  return Object.fromEntries(Object.entries(expected).map(([key, value]) => [key, forVersion(value, version)]));
}
