import type { ClusterClient } from '../../../src/testing/cluster-client/cluster-client.ts';

/** What `revocation: 'watch'` needs, and `verifyNode`: the rights of the example's manifest, and no more. */
export async function allowWatches(client: ClusterClient, serviceAccount: string): Promise<void> {
  const core = (verb: string, resource: string) => ({ verb, group: '', resource });
  const watched = ['pods', 'serviceaccounts', 'nodes'].flatMap((one) => [core('list', one), core('watch', one)]);
  await client.allow(serviceAccount, ...watched, core('get', 'nodes'));
}
