import type { KubernetesObject } from '../cluster-client/kubernetes-object.ts';
import type { Kind } from './kinds.ts';
import { invalid, isStatus, type Status } from './status.ts';
import { Store } from './store.ts';

const OPTIONS: Readonly<Record<string, string>> = {
  POST: 'CreateOptions',
  PUT: 'UpdateOptions',
  PATCH: 'PatchOptions',
  DELETE: 'DeleteOptions',
};

/** Whether a change is only to be tried: `dryRun=All`, or the same in the options of a deletion. Throws Kubernetes' 422 for another value. */
export function isDryRun(method: string, query: URLSearchParams, deleteOptions?: unknown): boolean {
  const values = deleteOptions === undefined ? query.getAll('dryRun') : dryRunOf(deleteOptions);
  if (values.every((value) => value === 'All')) return values.length > 0;
  const message = `Unsupported value: ${JSON.stringify(values)}: supported values: "All"`;
  throw invalid(String(OPTIONS[method]), 'meta.k8s.io', '', [
    { field: 'dryRun', reason: 'FieldValueNotSupported', message },
  ]);
}

/** A copy of the store, to try a change on. */
export function copyOf(store: Store): Store {
  const copy = new Store();
  copy.load(store);
  return copy;
}

/** What came of a change that was only tried, with the version that is really stored, if any. */
export function asStored<Answer extends KubernetesObject | Status>(store: Store, kind: Kind, answer: Answer): Answer {
  if (isStatus(answer)) return answer;
  const { namespace, name } = answer.metadata;
  const resourceVersion = store.get(kind, namespace, name)?.metadata.resourceVersion;
  return { ...answer, metadata: { ...answer.metadata, resourceVersion } };
}

function dryRunOf(deleteOptions: unknown): readonly unknown[] {
  const values: unknown = Object(deleteOptions)['dryRun'];
  return Array.isArray(values) ? values : [];
}
