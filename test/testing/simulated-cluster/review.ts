import type { ClusterClient } from '../../../src/testing/cluster-client/cluster-client.ts';

export interface ReviewStatus {
  readonly authenticated?: boolean;
  readonly user: { readonly username?: string; readonly groups?: string[]; readonly extra?: Record<string, string[]> };
  readonly audiences?: string[];
  readonly error?: string;
}

/** The status of a TokenReview of the administrator's. */
export async function review(cluster: ClusterClient, token: string, ...audiences: string[]): Promise<ReviewStatus> {
  const path = '/apis/authentication.k8s.io/v1/tokenreviews';
  const { body } = await cluster.request('POST', path, { spec: { token, audiences } });
  return (body as { status: ReviewStatus }).status;
}
