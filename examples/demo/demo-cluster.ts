import type { KubeConfig } from '@kubernetes/client-node';
import type { Clock, KubeConfigLike } from 'k8s-service-account-auth';

/** What the demo needs of a cluster, simulated or real. */
export interface DemoCluster extends AsyncDisposable {
  readonly description: string;
  /** Of its administrator. */
  readonly kubeConfig: KubeConfig;
  /** Appended to what the demo creates, so that nothing of the cluster's own is touched. */
  readonly suffix: string;
  /** For the library. */
  readonly clock: Clock;
  /** The library's way to the API server, as the holder of that token. */
  kubeConfigOf(token: string): KubeConfigLike;
  /** Lets that ServiceAccount create TokenReviews. */
  allowReviews(namespace: string, serviceAccount: string): Promise<void>;
  /** Keeps the library from reaching the API server, until what it returns is called. */
  cutOff(): () => void;
  /** Moves time forward by a minute and a second. */
  letAMinutePass(): Promise<void>;
  /** Signs claims with the cluster's own key, where that is to be had. */
  readonly signToken?: (claims: object) => string;
  /** How many TokenReviews reached the API server so far, where that is to be known. */
  readonly reviewsReceived?: () => number;
}

export const aMinute = 61_000;
