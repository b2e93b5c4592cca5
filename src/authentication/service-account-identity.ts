/** A Kubernetes object, by its name and by the uid that tells it from a namesake created later. */
export interface ObjectReference {
  readonly name: string;
  readonly uid: string;
}

/** A Node as a token names it. A token may name a Node without its uid. */
export interface NodeReference {
  readonly name: string;
  readonly uid?: string;
}

/** The token's validity is tied to this Pod. */
export interface BoundPod extends ObjectReference {
  readonly kind: 'Pod';
}

/** The token's validity is tied to this Node. */
export interface BoundNode extends NodeReference {
  readonly kind: 'Node';
}

/** The token's validity is tied to this Secret. A legacy Secret token names its Secret without a uid. */
export interface BoundSecret {
  readonly kind: 'Secret';
  readonly name: string;
  readonly uid?: string;
}

/** The object a token's validity is tied to: once it is gone, the API server refuses the token. */
export type BoundObject = BoundPod | BoundNode | BoundSecret;

/**
 * Which workload is calling: what a TokenReview said about a token, cross-checked with the token's claims.
 * Deeply frozen, since every request with the same token shares it. It never holds the token.
 */
export interface ServiceAccountIdentity {
  /** `system:serviceaccount:<namespace>:<name>`, as Kubernetes RBAC knows it. */
  readonly username: string;
  readonly namespace: string;
  readonly name: string;
  /** The uid of the ServiceAccount: a ServiceAccount recreated under its name has another one. */
  readonly uid: string;
  readonly groups: readonly string[];
  /** The audiences that the token and this service have in common (`status.audiences` of the review). */
  readonly audiences: readonly string[];
  /** What the token is bound to; `undefined` for a token bound to its ServiceAccount alone. */
  readonly boundTo: BoundObject | undefined;
  /** The calling Pod, for a Pod-bound token. */
  readonly pod?: ObjectReference;
  /** The Node the token names: the one it is bound to, or the one its Pod runs on. */
  readonly node?: NodeReference;
  /** The token's `jti`: the same in audit logs of the API server. Absent from legacy Secret tokens. */
  readonly credentialId?: string;
  /** The token's `iat`, in epoch milliseconds. */
  readonly issuedAt?: number;
  /** The token's `exp`, in epoch milliseconds. Absent from legacy Secret tokens only. */
  readonly expiresAt?: number;
  /** When the review that vouched for the token began, in epoch milliseconds. */
  readonly reviewedAt: number;
  /** `user.extra` of the review, as it came; a key `__proto__` is left out, as copies of it would set a prototype. */
  readonly extra: Readonly<Record<string, readonly string[]>>;
}
