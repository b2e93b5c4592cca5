import { randomUUID } from 'node:crypto';
import { createReviewer } from '../cluster/conformance/create-reviewer.ts';
import { Scene } from '../cluster/conformance/scene.ts';
import type { TestCluster } from '../cluster/conformance/test-cluster.ts';

/** What an API server's informers may take to learn of a deletion. */
const informersMs = 1_000;

/** Those who call the service. Their tokens are signed here, so that there are new ones in every outage too. */
export interface Callers {
  /** `namespace/name` of the Pod whose the valid tokens are. */
  readonly validCaller: string;
  /** Each time a token that nobody has seen. */
  readonly tokens: {
    /** @param ageMs how long ago it was issued. Default: now. */
    readonly valid: (ageMs?: number) => string;
    /** Of a Pod that is gone. */
    readonly refused: () => string;
    /** Claims the key that it was not signed with. */
    readonly forged: () => string;
    readonly expired: () => string;
    readonly forSomeoneElse: () => string;
  };
}

/** Makes the Pods that the tokens speak for. */
export async function createCallers(cluster: TestCluster): Promise<Callers> {
  const scene = new Scene(cluster, await createReviewer(cluster));
  const pod = await scene.pod('web-1', { node: 'node-a' });
  const valid = await pod.token({ audiences: 'orders' });
  const gone = await scene.pod('gone-1', { node: 'node-a' });
  const refused = await gone.token({ audiences: 'orders' });
  await gone.delete({ gracePeriodSeconds: 0 });
  await cluster.elapse(informersMs);
  return {
    validCaller: `${scene.namespace}/web-1`,
    tokens: {
      valid: (ageMs = 0) => {
        const iat = scene.now - ageMs / 1000;
        return scene.resigned(valid, { jti: randomUUID(), iat, nbf: iat });
      },
      refused: () => scene.resigned(refused, { jti: randomUUID() }),
      forged: () => scene.resigned(valid, { jti: randomUUID() }, { key: 'foreign' }),
      expired: () => scene.resigned(valid, { jti: randomUUID(), exp: scene.now - 3_600 }),
      forSomeoneElse: () => scene.resigned(valid, { jti: randomUUID(), aud: ['billing'] }),
    },
  };
}
