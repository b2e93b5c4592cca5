import { z } from 'zod';
import type { NodeDirectory } from '../authentication/node-directory.ts';
import { Unavailability } from '../authentication/reviewer.ts';
import type { ApiServer } from './api-server.ts';
import { withDeadline } from './deadline.ts';
import { jsonOf } from './json-of.ts';
import { metadataOnly } from './metadata-only.ts';
import { isNotFound } from './not-found.ts';
import { type Intention, refusedCall } from './refused-call.ts';

const intention: Intention = {
  doing: 'get Nodes',
  grantTo: ({ namespace, name }) =>
    'For `verifyNode`, allow it: kubectl create clusterrole NAME --verb=get --resource=nodes; kubectl create ' +
    `clusterrolebinding NAME --clusterrole=NAME --serviceaccount=${namespace}:${name}`,
};

const nodeSchema = z.object({ metadata: z.object({ name: z.string(), uid: z.string().min(1) }) });

/** Nodes as the API server has them now: without a resourceVersion it asks etcd. */
export function nodeLookup(apiServer: ApiServer, timeoutMs: number): NodeDirectory {
  return {
    async uidOf(name, waitedMs) {
      const path = `/api/v1/nodes/${encodeURIComponent(name)}`;
      const accept = metadataOnly('PartialObjectMetadata');
      const answer = await withDeadline(timeoutMs, waitedMs, ({ signal }) => apiServer.get(path, accept, signal));
      const body = jsonOf(answer.body);
      if (isNotFound(answer.status, body)) return undefined;
      if (answer.status !== 200) throw refusedCall(answer, intention);
      const node = nodeSchema.safeParse(body).data;
      if (node?.metadata.name !== name) throw new Unavailability('answer_invalid', 'The answer is not the Node');
      return node.metadata.uid;
    },
  };
}
