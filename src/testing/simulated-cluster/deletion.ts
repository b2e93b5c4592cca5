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
  const graceSeconds = kind === POD ? graceOf(object, requestedGraceSeconds) : 0;
  const terminating = markTerminating(object, graceSeconds, now);
  if (isReleased(terminating)) {
    store.remove(kind, terminating);
    return { object: terminating, gone: true };
  }
  return { object: terminating === object ? object : store.update(kind, terminating), gone: false };
}

/** Whether nothing holds a terminating object any more. */
export function isReleased({ metadata }: KubernetesObject): boolean {
  return (
    metadata.deletionTimestamp !== undefined &&
    (metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
    (metadata.finalizers ?? []).length === 0
  );
}

function graceOf({ spec, status }: KubernetesObject, requested: number | undefined): number {
  const over = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  if (!spec?.nodeName || over) return 0;
  const seconds = requested ?? spec.terminationGracePeriodSeconds ?? 0;
  return seconds < 0 ? 1 : seconds;
}

/** A second deletion can only shorten the grace period of the first. */
function markTerminating(object: KubernetesObject, graceSeconds: number, now: number): KubernetesObject {
  const { deletionTimestamp, deletionGracePeriodSeconds: current = 0 } = object.metadata;
  if (deletionTimestamp !== undefined && graceSeconds >= current) return object;
  const start = deletionTimestamp === undefined ? now : Date.parse(deletionTimestamp) - current * 1000;
  const end = Math.max(start + graceSeconds * 1000, now);
  return {
    ...object,
    metadata: {
      ...object.metadata,
      ...(object.metadata.generation !== undefined && { generation: object.metadata.generation + 1 }),
      deletionTimestamp: timestamp(end),
      deletionGracePeriodSeconds: graceSeconds,
    },
  };
}
