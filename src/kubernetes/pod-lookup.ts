import { z } from 'zod';
import { Unavailability } from '../authentication/reviewer.ts';
import { shareOf } from '../authentication/share.ts';
import type { CallingPod, PodDirectory } from '../authorization/calling-pod.ts';
import type { Answer, ApiServer } from './api-server.ts';
import type { BoundedReviewer } from './bounded-reviewer.ts';
import { jsonOf } from './json-of.ts';
import { isNotFound } from './not-found.ts';
import { type Intention, refusedCall } from './refused-call.ts';
import { scrub } from './scrub.ts';

const intention: Intention = {
  doing: 'get Pods',
  grantTo: ({ namespace, name }) =>
    'For the labels and addresses of callers, allow it: kubectl create clusterrole NAME --verb=get --resource=pods; ' +
    `kubectl create clusterrolebinding NAME --clusterrole=NAME --serviceaccount=${namespace}:${name}`,
};

const podSchema = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    uid: z.string().min(1),
    labels: z.record(z.string(), z.string()).default({}),
  }),
  spec: z.object({ hostNetwork: z.boolean().default(false) }),
  status: z
    .object({
      phase: z.string().default(''),
      podIP: z.string().default(''),
      podIPs: z.array(z.object({ ip: z.string().default('') })).default([]),
    })
    .default({ phase: '', podIP: '', podIPs: [] }),
});

/** Pods as the API server has them now, asked for in turn with the reviews: without a resourceVersion it asks etcd. */
export function podLookup(apiServer: ApiServer, reviewer: Pick<BoundedReviewer, 'inTurn'>): PodDirectory {
  return {
    find(identity, { name, uid }) {
      const { namespace } = identity;
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
      const perform = async (signal: AbortSignal): Promise<unknown> =>
        podIn(await apiServer.get(path, 'application/json', signal));
      const turn = { share: shareOf(identity, ''), waitedMs: 0 };
      return reviewer.inTurn(perform, (pod) => callingPod(pod, { namespace, name, uid }), turn);
    },
  };
}

/** The Pod, or nothing where there is none of that name. */
function podIn(answer: Answer): unknown {
  const body = jsonOf(answer.body);
  if (isNotFound(answer.status, body)) return undefined;
  if (answer.status !== 200) throw refusedCall(answer, intention);
  if (body === undefined) throw new Unavailability('answer_invalid', 'The answer is not JSON');
  return body;
}

function callingPod(
  pod: unknown,
  wanted: { readonly namespace: string; readonly name: string; readonly uid: string },
): CallingPod | undefined {
  if (pod === undefined) return undefined;
  const parsed = podSchema.safeParse(pod);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = scrub(issue?.path.map(String).join('.') ?? '');
    throw new Unavailability('answer_invalid', `The answer is no Pod: ${where}: ${issue?.code}`);
  }
  const { metadata, spec, status } = parsed.data;
  if (metadata.namespace !== wanted.namespace || metadata.name !== wanted.name) {
    throw new Unavailability('answer_invalid', 'The answer is another Pod');
  }
  if (metadata.uid !== wanted.uid) return undefined;
  // Its status keeps the addresses of a Pod that has ended, which the network may have given to another one.
  const hasEnded = status.phase === 'Succeeded' || status.phase === 'Failed';
  const stated = hasEnded ? [] : [status.podIP, ...status.podIPs.map(({ ip }) => ip)];
  const ips = new Set(stated.filter((ip) => ip !== ''));
  return Object.freeze({
    labels: Object.freeze({ ...metadata.labels }),
    ips: Object.freeze([...ips]),
    hostNetwork: spec.hostNetwork,
  });
}
