import type { BoundPod, ObjectReference } from '../authentication/service-account-identity.ts';
import { type Guard, guardOf } from './guard.ts';

/**
 * Allows Pod-bound tokens only: those that the kubelet projects into a Pod, which end with it. Behind it
 * `req.serviceAccount.pod` is known to be there.
 *
 * @throws {TypeError} where it is given anything
 */
export function requireBoundPod(): Guard<{ readonly pod: ObjectReference; readonly boundTo: BoundPod }> {
  if (arguments.length > 0)
    throw new TypeError('requireBoundPod takes no arguments: use requireBoundPod() on the route');
  return guardOf({ description: 'a Pod-bound token', check: ({ boundTo }) => boundTo?.kind === 'Pod' });
}
