import type { KubernetesObject } from '../cluster-client/kubernetes-object.ts';
import type { Kind } from './kinds.ts';
import type { VersionTraits } from './kubernetes-version.ts';

type Cell = string | number;

interface Column {
  readonly name: string;
  readonly type?: string;
  /** Only shown where more is asked for (`-o wide`). */
  readonly wide?: true;
  readonly cell: (object: KubernetesObject, now: number) => Cell;
}

export interface TableCircumstances {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly version: VersionTraits;
}

/** The kind `Table`, which `kubectl get` prints as it is. */
export function tableOf(
  kind: Kind,
  objects: readonly KubernetesObject[],
  metadata: object,
  { now, version }: TableCircumstances,
): object {
  const columns = (version.tablesAreOlder && OLDER_COLUMNS[kind.kind]) || (COLUMNS[kind.kind] ?? [NAME, AGE]);
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: columns.map(({ name, type = 'string', wide }) => ({
      name,
      type,
      format: name === 'Name' ? 'name' : '',
      description: '',
      priority: wide ? 1 : 0,
    })),
    rows: objects.map((object) => ({
      cells: columns.map(({ cell }) => cell(object, now)),
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata },
    })),
  };
}

const NONE = '<none>';
const UNKNOWN = '<unknown>';

const NAME: Column = { name: 'Name', cell: ({ metadata }) => metadata.name };
const AGE: Column = {
  name: 'Age',
  cell: ({ metadata }, now) => humanDuration(now - Date.parse(metadata.creationTimestamp)),
};
const CREATED_AT: Column = { name: 'Created At', type: 'date', cell: ({ metadata }) => metadata.creationTimestamp };

const BINDING: readonly Column[] = [
  NAME,
  { name: 'Role', cell: ({ roleRef }) => `${roleRef?.kind}/${roleRef?.name}` },
  AGE,
  { name: 'Users', wide: true, cell: (binding) => subjects(binding, 'User') },
  { name: 'Groups', wide: true, cell: (binding) => subjects(binding, 'Group') },
  { name: 'ServiceAccounts', wide: true, cell: (binding) => subjects(binding, 'ServiceAccount') },
];

const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  Namespace: [NAME, { name: 'Status', cell: ({ status }) => status?.phase ?? '' }, AGE],
  Node: nodeColumns(kernelVersion),
  Pod: [
    NAME,
    { name: 'Ready', cell: podReady },
    { name: 'Status', cell: podStatus },
    { name: 'Restarts', cell: podRestarts },
    AGE,
    { name: 'IP', wide: true, cell: ({ status }) => textAt(status, 'podIP') || NONE },
    { name: 'Node', wide: true, cell: ({ spec }) => spec?.nodeName || NONE },
    { name: 'Nominated Node', wide: true, cell: ({ status }) => textAt(status, 'nominatedNodeName') || NONE },
    { name: 'Readiness Gates', wide: true, cell: () => NONE },
  ],
  Secret: [
    NAME,
    { name: 'Type', cell: ({ type }) => type ?? '' },
    { name: 'Data', cell: ({ data }) => Object.keys(data ?? {}).length },
    AGE,
  ],
  Role: [NAME, CREATED_AT],
  ClusterRole: [NAME, CREATED_AT],
  RoleBinding: BINDING,
  ClusterRoleBinding: BINDING,
};

const OLDER_COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  Node: nodeColumns((node) => nodeInfo(node, 'kernelVersion') || UNKNOWN),
  ServiceAccount: [NAME, { name: 'Secrets', cell: (account) => itemsAt(account, 'secrets').length }, AGE],
};

function nodeColumns(kernel: Column['cell']): readonly Column[] {
  return [
    NAME,
    { name: 'Status', cell: nodeStatus },
    { name: 'Roles', cell: nodeRoles },
    AGE,
    { name: 'Version', cell: (node) => nodeInfo(node, 'kubeletVersion') },
    { name: 'Internal-IP', wide: true, cell: (node) => nodeAddress(node, 'InternalIP') },
    { name: 'External-IP', wide: true, cell: (node) => nodeAddress(node, 'ExternalIP') },
    { name: 'OS-Image', wide: true, cell: (node) => nodeInfo(node, 'osImage') || UNKNOWN },
    { name: 'Kernel-Version', wide: true, cell: kernel },
    { name: 'Container-Runtime', wide: true, cell: (node) => nodeInfo(node, 'containerRuntimeVersion') || UNKNOWN },
  ];
}

function podReady({ spec, status }: KubernetesObject): string {
  const ready = itemsAt(status, 'containerStatuses').filter((container) => Object(container)['ready'] === true);
  return `${ready.length}/${itemsAt(spec, 'containers').length}`;
}

function podStatus({ metadata, status }: KubernetesObject): string {
  if (metadata.deletionTimestamp !== undefined) return 'Terminating';
  return textAt(status, 'reason') || (status?.phase ?? '');
}

function podRestarts({ status }: KubernetesObject): string {
  const counts = itemsAt(status, 'containerStatuses').map(
    (container) => Number(Object(container)['restartCount']) || 0,
  );
  return String(counts.reduce((sum, count) => sum + count, 0));
}

function nodeStatus({ spec, status }: KubernetesObject): string {
  const ready = itemsAt(status, 'conditions').find((condition) => Object(condition)['type'] === 'Ready');
  const state = ready === undefined ? 'Unknown' : Object(ready)['status'] === 'True' ? 'Ready' : 'NotReady';
  return spec?.['unschedulable'] === true ? `${state},SchedulingDisabled` : state;
}

function nodeRoles({ metadata }: KubernetesObject): string {
  const prefix = 'node-role.kubernetes.io/';
  const roles = Object.keys(metadata.labels ?? {}).filter((label) => label.startsWith(prefix));
  return (
    roles
      .map((label) => label.slice(prefix.length))
      .toSorted()
      .join(',') || NONE
  );
}

function nodeInfo({ status }: KubernetesObject, field: string): string {
  return textAt(status?.['nodeInfo'], field);
}

function kernelVersion(node: KubernetesObject): string {
  const version = nodeInfo(node, 'kernelVersion');
  const architecture = nodeInfo(node, 'architecture');
  return version && architecture ? `${version} (${architecture})` : version || UNKNOWN;
}

function nodeAddress({ status }: KubernetesObject, type: string): string {
  const address = itemsAt(status, 'addresses').find((candidate) => Object(candidate)['type'] === type);
  return textAt(address, 'address') || NONE;
}

function subjects(binding: KubernetesObject, kind: string): string {
  const chosen = (binding.subjects ?? []).filter((subject) => subject.kind === kind);
  return chosen
    .map(({ name, namespace }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
    .join(', ');
}

function textAt(parent: unknown, field: string): string {
  const value: unknown = Object(parent)[field];
  return typeof value === 'string' ? value : '';
}

function itemsAt(parent: unknown, field: string): readonly unknown[] {
  const value: unknown = Object(parent)[field];
  return Array.isArray(value) ? value : [];
}

const UNITS = { y: 365 * 86_400, d: 86_400, h: 3600, m: 60, s: 1 } as const;
type Unit = keyof typeof UNITS;

/** From how many seconds on an age is given in which units; the second one only if it is not 0. */
const STEPS: readonly (readonly [from: number, unit: Unit, rest?: Unit])[] = [
  [8 * UNITS.y, 'y'],
  [2 * UNITS.y, 'y', 'd'],
  [8 * UNITS.d, 'd'],
  [2 * UNITS.d, 'd', 'h'],
  [8 * UNITS.h, 'h'],
  [3 * UNITS.h, 'h', 'm'],
  [10 * UNITS.m, 'm'],
  [2 * UNITS.m, 'm', 's'],
  [0, 's'],
];

/** An age as kubectl's users know it: `59s`, `3m5s`, `26h`. */
export function humanDuration(ms: number): string {
  const seconds = Math.max(0, Math.trunc(ms / 1000));
  const [, unit, rest] = STEPS.find(([from]) => seconds >= from) ?? [0, 's' as const];
  const whole = `${Math.floor(seconds / UNITS[unit])}${unit}`;
  const remainder = rest ? Math.floor((seconds % UNITS[unit]) / UNITS[rest]) : 0;
  return rest && remainder > 0 ? `${whole}${remainder}${rest}` : whole;
}
