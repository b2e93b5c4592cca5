import { z } from 'zod';

import type { ClusterClient } from '../../../src/testing/cluster-client/cluster-client.ts';

const answer = z.object({ status: z.object({ token: z.string() }) });

/** A token for the API server itself, of a ServiceAccount that is named `namespace/name`. */
export async function serviceAccountToken(client: ClusterClient, serviceAccount: string): Promise<string> {
  const [namespace, name] = serviceAccount.split('/');
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const { body } = await client.request('POST', path, {});
  return answer.parse(body).status.token;
}
