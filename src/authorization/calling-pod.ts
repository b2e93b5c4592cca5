import type { ObjectReference, ServiceAccountIdentity } from '../authentication/service-account-identity.ts';
import type { Labels } from './label-selector.ts';

/** What the cluster says of the Pod that a token is bound to. */
export interface CallingPod {
  readonly labels: Labels;
  /** `status.podIPs`: one, or with dual stack one of each family; none before the Pod runs. */
  readonly ips: readonly string[];
  /** Whether it has its Node's addresses, which it shares with all others there that have. */
  readonly hostNetwork: boolean;
}

/** Knows the cluster's Pods. */
export interface PodDirectory {
  /**
   * The Pod of that name and uid as it is now, in the namespace of the caller; `undefined` where it is gone, though another
   * one may have its name. Ends within a bounded time.
   *
   * @throws {Unavailability}
   */
  find(identity: ServiceAccountIdentity, pod: ObjectReference): Promise<CallingPod | undefined>;
}

/** What tells of Pods that have changed, as it happens. */
export interface PodChanges {
  /** Calls the listener with the uid of every Pod that comes to be, changes, or goes, known or not. There is one listener. */
  onPodChange(listener: (uid: string) => void): void;
}
