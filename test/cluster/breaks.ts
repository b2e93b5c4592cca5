export interface Break {
  /** What is wrong then. */
  readonly what: string;
  /** In `src/testing/simulated-cluster`. */
  readonly file: string;
  /** Stands there once. */
  readonly from: string;
  readonly to: string;
  /** The file of scenarios, `scenarios/<name>.test.ts`, that has to notice. */
  readonly noticedBy: 'conformance' | 'rbac' | 'watch' | 'list-options';
}

/** Each makes the simulated cluster behave as no API server does. */
export const breaks: readonly Break[] = [
  {
    what: 'an expired token is accepted for 2 minutes instead of one',
    file: 'authenticate.ts',
    from: 'now - LEEWAY_MS > exp * 1000',
    to: 'now - 2 * LEEWAY_MS > exp * 1000',
    noticedBy: 'conformance',
  },
  {
    what: 'a token counts before its time',
    file: 'authenticate.ts',
    from: 'now + LEEWAY_MS < nbf * 1000',
    to: 'false',
    noticedBy: 'conformance',
  },
  {
    what: 'a verdict is not remembered for 10 s',
    file: 'authenticate.ts',
    from: 'const CACHE_MS = 10_000;',
    to: 'const CACHE_MS = 0;',
    noticedBy: 'conformance',
  },
  {
    what: 'a verdict is remembered for 20 s',
    file: 'authenticate.ts',
    from: 'const CACHE_MS = 10_000;',
    to: 'const CACHE_MS = 20_000;',
    noticedBy: 'conformance',
  },
  {
    what: 'a Pod that took the name of another one vouches for its tokens',
    file: 'authenticate.ts',
    from: 'if (object.metadata.uid !== uid) {\n      const what',
    to: 'if (false) {\n      const what',
    noticedBy: 'conformance',
  },
  {
    what: 'what terminates invalidates its tokens at once',
    file: 'authenticate.ts',
    from: 'this.#authority.clock.now() - LEEWAY_MS;',
    to: 'this.#authority.clock.now();',
    noticedBy: 'conformance',
  },
  {
    what: 'the Node of a Pod-bound token is checked',
    file: 'authenticate.ts',
    from: 'if (node && !pod)',
    to: 'if (node)',
    noticedBy: 'conformance',
  },
  {
    what: 'a review says all audiences that were asked for, not those that the token has',
    file: 'authenticate.ts',
    from: 'return { user, audiences: served };',
    to: 'return { user, audiences };',
    noticedBy: 'conformance',
  },
  {
    what: 'the answer lacks the uid of the Pod',
    file: 'authenticate.ts',
    from: "'pod-name': pod.name, 'pod-uid': pod.uid",
    to: "'pod-name': pod.name",
    noticedBy: 'conformance',
  },
  {
    what: 'a refusal is worded in another way',
    file: 'authenticate.ts',
    from: "const INVALIDATED = 'service account token has been invalidated';",
    to: "const INVALIDATED = 'service account token was invalidated';",
    noticedBy: 'conformance',
  },
  {
    what: 'a signature by another algorithm than that of the key is looked at',
    file: 'authenticate.ts',
    from: 'parsed.algorithm !== algorithm || parsed.unknownCritical',
    to: 'parsed.unknownCritical',
    noticedBy: 'conformance',
  },
  {
    what: 'a review that asks for no audience asks for any',
    file: 'token-review.ts',
    from: 'spec.audiences : apiAudiences;',
    to: "spec.audiences : [...apiAudiences, 'orders'];",
    noticedBy: 'conformance',
  },
  {
    what: 'a token may be had for less than 10 minutes',
    file: 'token-request.ts',
    from: 'const MIN_SECONDS = 600;',
    to: 'const MIN_SECONDS = 60;',
    noticedBy: 'conformance',
  },
  {
    what: '* in a role stands for nothing',
    file: 'authorize.ts',
    from: "allowed.includes('*') || allowed.includes(asked)",
    to: 'allowed.includes(asked)',
    noticedBy: 'rbac',
  },
  {
    what: 'resourceNames do not narrow a role',
    file: 'authorize.ts',
    from: '(names.length === 0 || names.includes(name))',
    to: 'true',
    noticedBy: 'rbac',
  },
  {
    what: 'a right to a resource is one to its subresources',
    file: 'authorize.ts',
    from: 'const whole = subresource ? `${resource}/${subresource}` : resource;',
    to: 'const whole = resource;',
    noticedBy: 'rbac',
  },
  {
    what: 'a RoleBinding holds in the whole cluster',
    file: 'authorize.ts',
    from: 'store.list(kind, kind.namespaced ? namespace : undefined)',
    to: 'store.list(kind)',
    noticedBy: 'rbac',
  },
  {
    what: 'the role of a binding can be changed',
    file: 'validate-object.ts',
    from: 'current.roleRef ? changedRoleRef(current, changed, version) : []',
    to: '[]',
    noticedBy: 'rbac',
  },
  {
    what: 'no bookmark comes before a watch ends',
    file: 'watch.ts',
    from: 'const BOOKMARK_BEFORE_END_MS = 2000;',
    to: 'const BOOKMARK_BEFORE_END_MS = 2_000_000;',
    noticedBy: 'watch',
  },
  {
    what: 'what is no longer selected is not said to be gone',
    file: 'watch.ts',
    from: "!isSelected ? 'DELETED'",
    to: "type === 'DELETED' ? 'DELETED'",
    noticedBy: 'watch',
  },
  {
    what: 'taking the last finalizer away changes the object before it is gone',
    file: 'object-api.ts',
    from: 'store.remove(kind, current);',
    to: 'store.remove(kind, store.update(kind, changed));',
    noticedBy: 'watch',
  },
  {
    what: 'a list never goes on',
    file: 'object-api.ts',
    from: 'rest.slice(0, limit)',
    to: 'rest',
    noticedBy: 'list-options',
  },
];
