import type { Expected } from './expected.ts';
import type { Scene } from './scene.ts';

interface Service {
  /** Those that the service is configured for and that the TokenReview asks for. Default: `orders`. */
  readonly audiences?: readonly string[];
  /** The token that the service reviews with; `null`: none. Default: that of a ServiceAccount that may. */
  readonly reviewer?: string | null;
}

/** What a caller presents to a service, or what somebody asks of the API server. */
export type Presented =
  | (Service & { readonly token: string })
  /** The values of the `Authorization` header lines of the request, as they are sent. */
  | (Service & { readonly authorization: readonly string[] })
  /** A plain call to the API server; only its answer is compared. `token`: the caller's, default the administrator's. */
  | {
      readonly call: {
        readonly method: string;
        readonly path: string;
        readonly body?: unknown;
        readonly token?: string | null;
        readonly headers?: Readonly<Record<string, string>>;
      };
    };

export interface Scenario {
  readonly name: string;
  /** Makes what the scenario is about. */
  readonly situation: (scene: Scene) => Promise<Presented>;
  /** How long after the situation was made it is looked at. Default: 0. */
  readonly waitMs?: number;
  /** Whether it takes the cluster's keys or its user that is no ServiceAccount. Default: false. */
  readonly needsSecrets?: boolean;
  /** Whether it is about a cluster without controllers. Default: false. */
  readonly needsBareServer?: boolean;
  readonly expected: Expected;
}
