import type { KubernetesObject } from '../cluster-client/kubernetes-object.ts';
import { type Kind, NAMESPACE, POD, RBAC_GROUP, SECRET } from './kinds.ts';
import type { VersionTraits } from './kubernetes-version.ts';
import { LABEL, LABEL_RULE, SUBDOMAIN, SUBDOMAIN_RULE } from './names.ts';
import type { ObjectInput } from './object-schema.ts';
import { invalid, type InvalidField } from './status.ts';
import { changedRoleRef, wrongRbacContent, wrongRbacName } from './validate-rbac.ts';

const STANDARD_FINALIZERS = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

/** Throws Kubernetes' 422. Only what tests are likely to get wrong is checked. */
export function validateObject(kind: Kind, name: string, object: ObjectInput, version: VersionTraits): void {
  const problems = [...wrongName(kind, name), ...wrongFinalizers(object), ...wrongContent(kind, object, version)];
  if (problems.length > 0) throw invalid(kind.kind, kind.group, name, problems);
}

/** Throws Kubernetes' 422 for what may not change. The API server checks metadata twice, and lists each cause twice. */
export function validateChange(
  kind: Kind,
  current: KubernetesObject,
  changed: ObjectInput,
  version: VersionTraits,
): void {
  const { name, uid, deletionTimestamp, finalizers: before = [] } = current.metadata;
  const { uid: uidAfter = uid, finalizers: after = [] } = changed.metadata ?? {};
  const added = deletionTimestamp === undefined ? [] : after.filter((finalizer) => !before.includes(finalizer));
  const problems: InvalidField[] = [];
  if (uidAfter !== uid) {
    const message = `Invalid value: ${JSON.stringify(uidAfter)}: field is immutable`;
    problems.push({ field: 'metadata.uid', reason: 'FieldValueInvalid', message });
  }
  if (added.length > 0) {
    const list = added.map((finalizer) => JSON.stringify(finalizer)).join(', ');
    const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`;
    problems.push({ field: 'metadata.finalizers', reason: 'FieldValueForbidden', message });
  }
  if (problems.length > 0) throw invalid(kind.kind, kind.group, name, [...problems, ...problems]);
  const changedRef = current.roleRef ? changedRoleRef(current, changed, version) : [];
  if (changedRef.length > 0) throw invalid(kind.kind, kind.group, name, changedRef);
}

function wrongFinalizers({ metadata }: ObjectInput): InvalidField[] {
  return (metadata?.finalizers ?? []).flatMap((finalizer, index) => {
    if (finalizer.includes('/') || STANDARD_FINALIZERS.has(finalizer)) return [];
    const message = `Invalid value: ${JSON.stringify(finalizer)}: name is neither a standard finalizer name nor is it fully qualified`;
    return [{ field: `metadata.finalizers[${index}]`, reason: 'FieldValueInvalid' as const, message }];
  });
}

function wrongName(kind: Kind, name: string): InvalidField[] {
  if (!name) return [required('metadata.name', 'name or generateName is required')];
  if (kind.group === RBAC_GROUP) return wrongRbacName(name);
  const [pattern, rule] = kind === NAMESPACE ? [LABEL, LABEL_RULE] : [SUBDOMAIN, SUBDOMAIN_RULE];
  if (pattern.test(name)) return [];
  const why = kind === NAMESPACE && name.includes('.') ? 'must not contain dots' : rule;
  const message = `Invalid value: ${JSON.stringify(name)}: ${why}`;
  return [{ field: 'metadata.name', reason: 'FieldValueInvalid', message }];
}

function wrongContent(kind: Kind, object: ObjectInput, version: VersionTraits): InvalidField[] {
  if (kind === POD && !object.spec?.containers?.length) return [required('spec.containers')];
  if (kind === SECRET && object.type === 'kubernetes.io/service-account-token') {
    const annotation = 'kubernetes.io/service-account.name';
    if (!object.metadata?.annotations?.[annotation]) return [required(`metadata.annotations[${annotation}]`)];
  }
  return kind.group === RBAC_GROUP ? wrongRbacContent(kind, object, version) : [];
}

function required(field: string, detail?: string): InvalidField {
  return { field, reason: 'FieldValueRequired', message: detail ? `Required value: ${detail}` : 'Required value' };
}
