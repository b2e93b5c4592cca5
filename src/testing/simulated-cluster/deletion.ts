import type { KubernetesObject } from '../cluster-client/kubernetes-object.ts';
import { type Kind, POD } from './kinds.ts';
import type { Store } from './store.ts';
import { timestamp } from './timestamp.ts';

/**
 * Deletes an object as the API server does, without any kubelet or controller: finalizers hold it, and a Pod on a Node is
 * terminating until it is deleted with a grace period of 0. Returns the object as it was last, and whether it is gone.
 */
export function deleteObject(
  store: Store,
  kind: Kind,
  object: KubernetesObject,
  now: number,
  requestedGraceSeconds?: number,
): { readonly object: KubernetesObject; readonly gone: boolean } {
  // Only a Pod is seen to terminate where nothing holds it.
  if (kind !== POD && !isHeld(object)) return { object: store.remove(kind, object), gone: true };
  const graceSeconds = kind === POD ? graceOf(object, requestedGraceSeconds) : 0;
  const marked = markTerminating(object, graceSeconds, now);
  const terminating = marked === object ? object : store.update(kind, marked);
  return isReleased(terminating)
    ? { object: store.remove(kind, terminating), gone: true }
    : { object: terminating, gone: false };
}

/** Whether nothing holds a terminating object any more. */
export function isReleased(object: Pick<KubernetesObject, 'metadata'>): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = object.metadata;
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && !isHeld(object);
}

function isHeld({ metadata }: Pick<KubernetesObject, 'metadata'>): boolean {
  return (metadata.finalizers ?? []).length > 0;
}

function graceOf({ spec, status }: KubernetesObject, requested: number | undefined): number {
  const over = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  if (!spec?.nodeName || over) return 0;
  const seconds = requested ?? spec.terminationGracePeriodSeconds ?? 0;
  return seconds < 0 ? 1 : seconds;
}

/** A second deletion can only shorten the grace period of the first. */
function markTerminating(object: KubernetesObject, graceSeconds: number, now: number): KubernetesObject {
  const { deletionTimestamp, deletionGracePeriodSeconds: current = 0, generation } = object.metadata;
  const isFirst = deletionTimestamp === undefined;
  if (!isFirst && graceSeconds >= current) return object;
  const start = isFirst ? now : Date.parse(deletionTimestamp) - current * 1000;
  const end = Math.max(start + graceSeconds * 1000, now);
  return {
    ...object,
    metadata: {
      ...object.metadata,
      ...(isFirst && generation !== undefined && { generation: generation + 1 }),
      deletionTimestamp: timestamp(end),
      deletionGracePeriodSeconds: graceSeconds,
    },
  };
}
