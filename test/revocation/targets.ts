import type { ClusterClient } from '../../src/testing/cluster-client/cluster-client.ts';

/** What is deleted, and a token that is good until then. */
export interface Target {
  readonly token: string;
  /** Where to ask for it. Default: `/`. */
  readonly path?: string;
  delete(): Promise<void>;
}

export type TargetKind = 'Pod' | 'ServiceAccount' | 'Node';

/** So many objects in a namespace, each with a token of its own for the audience `orders`. */
export async function createTargets(
  client: ClusterClient,
  kind: TargetKind,
  count: number,
  namespace: string,
): Promise<readonly Target[]> {
  const targets: Target[] = [];
  for (let index = 0; index < count; index += 1) {
    targets.push(await creators[kind](client, namespace, `${kind.toLowerCase()}-${index}`));
  }
  return targets;
}

type Creator = (client: ClusterClient, namespace: string, name: string) => Promise<Target>;

const audiences = 'orders';

const creators: Readonly<Record<TargetKind, Creator>> = {
  Pod: async (client, namespace, name) => {
    const pod = await client.createPod(`${namespace}/${name}`, { serviceAccount: 'web', node: `${namespace}-node` });
    return { token: await pod.token({ audiences }), delete: () => pod.delete() };
  },
  ServiceAccount: async (client, namespace, name) => {
    const serviceAccount = await client.createServiceAccount(`${namespace}/${name}`);
    return { token: await serviceAccount.token({ audiences }), delete: () => serviceAccount.delete() };
  },
  Node: async (client, namespace, name) => {
    const node = await client.createNode(`${namespace}-${name}`);
    const serviceAccount = await client.createServiceAccount(`${namespace}/agent-of-${name}`);
    return { token: await node.token({ serviceAccount, audiences }), delete: () => node.delete() };
  },
};
