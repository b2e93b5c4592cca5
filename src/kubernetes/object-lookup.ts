import { z } from 'zod';
import { Unavailability } from '../authentication/reviewer.ts';
import type { SeenObject, WatchedKind } from '../authentication/revocation-source.ts';
import type { ApiServer } from './api-server.ts';
import type { BoundedReviewer } from './bounded-reviewer.ts';
import { jsonOf } from './json-of.ts';
import { type Intention, refusedCall } from './refused-call.ts';
import { timestamp } from './timestamp.ts';
import { resources } from './watched-resources.ts';

export type ObjectLookup = (kind: WatchedKind, namespace: string, name: string) => Promise<SeenObject | undefined>;

const metadataOnly = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

const listSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), uid: z.string().min(1), deletionTimestamp: timestamp.optional() }),
    }),
  ),
});

/**
 * Objects as the API server has them now, asked for in turn with the reviews: without a resourceVersion it asks etcd. As a
 * list of one name, which takes the right to list that a watch needs too, and costs the API server no more than a GET.
 *
 * The function rejects with an `Unavailability` where it cannot be known.
 */
export function objectLookup(
  apiServer: ApiServer,
  reviewer: Pick<BoundedReviewer, 'inTurn'>,
  grantTo: Intention['grantTo'],
): ObjectLookup {
  return (kind, namespace, name) => {
    const { root, plural, isNamespaced } = resources[kind];
    const place = isNamespaced ? `namespaces/${encodeURIComponent(namespace)}/` : '';
    const selector = encodeURIComponent(`metadata.name=${name}`);
    const path = `${root}/${place}${plural}?fieldSelector=${selector}`;
    const perform = async (signal: AbortSignal): Promise<unknown> => {
      const answer = await apiServer.get(path, metadataOnly, signal);
      if (answer.status !== 200) throw refusedCall(answer, { doing: `list ${plural}`, grantTo });
      return jsonOf(answer.body);
    };
    return reviewer.inTurn(perform, (list) => objectIn(list, name), { share: ['own'], waitedMs: 0 });
  };
}

function objectIn(list: unknown, name: string): SeenObject | undefined {
  const parsed = listSchema.safeParse(list);
  if (!parsed.success) throw new Unavailability('answer_invalid', 'The API server lists something that is no list');
  const object = parsed.data.items.find(({ metadata }) => metadata.name === name);
  return object && { uid: object.metadata.uid, deletionTimestamp: object.metadata.deletionTimestamp };
}
