import { z } from 'zod';
import { rulesOf } from './authorize.ts';
import { decode } from './decode.ts';
import type { VersionTraits } from './kubernetes-version.ts';
import { badRequest } from './status.ts';
import type { Store } from './store.ts';
import type { User } from './user.ts';

const schema = z.object({ spec: z.object({ namespace: z.string().optional() }).optional() });

/** POST /apis/authorization.k8s.io/v1/selfsubjectrulesreviews */
export function reviewOwnRules(store: Store, version: VersionTraits, caller: User, body: unknown): object {
  const namespace = decode(schema, 'SelfSubjectRulesReview', body).spec?.namespace ?? '';
  if (namespace === '') throw badRequest('no namespace on request');
  const rules = [...rulesOf(caller, namespace, store)].map(({ rule }) => rule);
  return {
    kind: 'SelfSubjectRulesReview',
    apiVersion: 'authorization.k8s.io/v1',
    metadata: version.unstoredMetadata,
    spec: {},
    status: {
      resourceRules: rules.flatMap(({ verbs, apiGroups, resources, resourceNames }) =>
        resources ? [{ verbs, apiGroups, resources, ...(resourceNames && { resourceNames }) }] : [],
      ),
      nonResourceRules: rules.flatMap(({ verbs, nonResourceURLs }) =>
        nonResourceURLs ? [{ verbs, nonResourceURLs }] : [],
      ),
      incomplete: false,
    },
  };
}
