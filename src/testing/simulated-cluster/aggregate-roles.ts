import type { KubernetesObject, PolicyRule } from '../cluster-client/kubernetes-object.ts';
import { CLUSTER_ROLE } from './kinds.ts';
import { matchesLabelSelector } from './matches-label-selector.ts';
import type { Store } from './store.ts';

/** Gives every ClusterRole with an aggregationRule the rules of those that its selectors choose, as its controller does. */
export function aggregateRoles(store: Store): void {
  for (const { metadata } of store.list(CLUSTER_ROLE)) {
    // An earlier one of this very loop may have led to a change of it.
    const role = store.get(CLUSTER_ROLE, undefined, metadata.name);
    if (!role?.aggregationRule) continue;
    const rules = chosenRules(role, store);
    if (JSON.stringify(rules) !== JSON.stringify(role.rules ?? [])) store.update(CLUSTER_ROLE, { ...role, rules });
  }
}

function chosenRules({ aggregationRule, metadata: { name } }: KubernetesObject, store: Store): PolicyRule[] {
  const selectors = aggregationRule?.clusterRoleSelectors ?? [];
  const chosen = selectors.flatMap((selector) =>
    store
      .list(CLUSTER_ROLE)
      .filter(({ metadata }) => metadata.name !== name && matchesLabelSelector(selector, metadata.labels)),
  );
  const rules = new Map(chosen.flatMap((role) => role.rules ?? []).map((rule) => [JSON.stringify(rule), rule]));
  return [...rules.values()];
}
