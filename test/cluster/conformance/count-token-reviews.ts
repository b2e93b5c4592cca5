import type { ClusterClient } from '../../../src/testing/cluster-client/cluster-client.ts';

const SAMPLE = /^apiserver_request_total\{[^}]*resource="tokenreviews"[^}]*\} (\d+)$/gm;

/** As many as the API server says that it has answered. */
export async function countTokenReviews(client: ClusterClient): Promise<number> {
  const { status, body } = await client.request('GET', '/metrics');
  if (status !== 200) throw new Error(`/metrics was answered with ${status}`);
  return [...String(body).matchAll(SAMPLE)].reduce((sum, [, count]) => sum + Number(count), 0);
}
