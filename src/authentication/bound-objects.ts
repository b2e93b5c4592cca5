import type { WatchedKind } from './revocation-source.ts';

/** An identity, or what a token claims to be one. */
export interface TokenSubject {
  /** Of the ServiceAccount. */
  readonly uid: string;
  readonly pod?: { readonly uid: string } | undefined;
  readonly node?: { readonly uid?: string | undefined } | undefined;
}

export interface WatchedObject {
  readonly kind: WatchedKind;
  /** `undefined` where the token does not say it. */
  readonly uid: string | undefined;
}

/**
 * The objects that must exist for a token to be good. The Node of a Pod-bound token is none of them, as the API server
 * does not look it up, unless `verifiesNode`.
 */
export function boundObjects({ uid, pod, node }: TokenSubject, verifiesNode: boolean): readonly WatchedObject[] {
  const objects: WatchedObject[] = [{ kind: 'ServiceAccount', uid }];
  if (pod) objects.push({ kind: 'Pod', uid: pod.uid });
  if (node && (verifiesNode || !pod)) objects.push({ kind: 'Node', uid: node.uid });
  return objects;
}
