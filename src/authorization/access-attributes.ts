/**
 * What a caller wants to do with a resource, as in `resourceAttributes` of a SubjectAccessReview. RBAC knows any resource
 * that a Role names: `orders` of `orders.example.com` need not exist in the cluster.
 */
export interface ResourceAttributes {
  /** Kubernetes' (`get`, `list`, `create`, …) or one of your own. */
  readonly verb: string;
  /** The API group; `''` is Kubernetes' core group. */
  readonly group: string;
  /** The plural, in lower case: `orders`. */
  readonly resource: string;
  /** Default: the resource itself. */
  readonly subresource?: string;
  /** Default: all namespaces, which only ClusterRoles bound in the whole cluster allow; or the resource has none. */
  readonly namespace?: string;
  /** Default: any, which no rule with `resourceNames` allows. */
  readonly name?: string;
}

/** What a caller wants to do with a path, as in `nonResourceURLs` of a ClusterRole. */
export interface NonResourceAttributes {
  /** The HTTP method in lower case, as Kubernetes has it: `get`. */
  readonly verb: string;
  /** Begins with `/`, of at most 1,024 characters, with nothing left to decode or to resolve. */
  readonly path: string;
}

/** What RBAC is asked about. */
export type AccessAttributes = ResourceAttributes | NonResourceAttributes;

/**
 * Attributes that a function computes from a request. What comes from the request may be anything: a value that is no
 * non-empty string refuses, as `undefined` does, and never asks about something else.
 */
export type ComputedAttributes =
  | { readonly [Key in keyof ResourceAttributes]: unknown }
  | { readonly [Key in keyof NonResourceAttributes]: unknown }
  | undefined;
