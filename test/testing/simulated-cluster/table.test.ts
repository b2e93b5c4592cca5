import { describe, expect, test } from '@jest/globals';

import type { KubernetesObject } from '../../../src/testing/cluster-client/kubernetes-object.ts';
import {
  CLUSTER_ROLE,
  type Kind,
  NAMESPACE,
  NODE,
  POD,
  ROLE_BINDING,
  SECRET,
  SERVICE_ACCOUNT,
} from '../../../src/testing/simulated-cluster/kinds.ts';
import { VERSION_TRAITS } from '../../../src/testing/simulated-cluster/kubernetes-version.ts';
import { humanDuration, tableOf } from '../../../src/testing/simulated-cluster/table.ts';

const CREATED = '2026-11-24T12:00:00Z';
const now = Date.parse(CREATED) + 90_000;

interface Table {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number; readonly format: string }[];
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly object: unknown }[];
}

function table(kind: Kind, content: object, version: keyof typeof VERSION_TRAITS = '1.36'): Table {
  const { metadata, ...rest } = content as { metadata?: object };
  const object: KubernetesObject = {
    kind: kind.kind,
    apiVersion: kind.apiVersion,
    ...rest,
    metadata: { name: 'a', uid: 'u', resourceVersion: '7', creationTimestamp: CREATED, ...metadata },
  };
  return tableOf(kind, [object], { resourceVersion: '9' }, { now, version: VERSION_TRAITS[version] }) as Table;
}

function cells(...args: Parameters<typeof table>): Readonly<Record<string, unknown>> {
  const { columnDefinitions, rows } = table(...args);
  return Object.fromEntries(columnDefinitions.map(({ name }, index) => [name, rows[0]?.cells[index]]));
}

test('a table has the metadata of the list, and of each object', () => {
  expect(table(NAMESPACE, { status: { phase: 'Active' } })).toEqual({
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: '9' },
    columnDefinitions: [
      { name: 'Name', type: 'string', format: 'name', description: '', priority: 0 },
      { name: 'Status', type: 'string', format: '', description: '', priority: 0 },
      { name: 'Age', type: 'string', format: '', description: '', priority: 0 },
    ],
    rows: [
      {
        cells: ['a', 'Active', '90s'],
        object: {
          kind: 'PartialObjectMetadata',
          apiVersion: 'meta.k8s.io/v1',
          metadata: { name: 'a', uid: 'u', resourceVersion: '7', creationTimestamp: CREATED },
        },
      },
    ],
  });
});

describe('a Pod', () => {
  const containers = [{ name: 'main' }, { name: 'side' }];

  test('that nothing is known of', () => {
    expect(cells(POD, { spec: { containers } })).toEqual({
      Name: 'a',
      Ready: '0/2',
      Status: '',
      Restarts: '0',
      Age: '90s',
      IP: '<none>',
      Node: '<none>',
      'Nominated Node': '<none>',
      'Readiness Gates': '<none>',
    });
    expect(cells(POD, {})).toMatchObject({ Ready: '0/0' });
  });

  test('that runs', () => {
    const status = {
      phase: 'Running',
      podIP: '10.0.0.7',
      nominatedNodeName: 'node-b',
      containerStatuses: [{ ready: true, restartCount: 2 }, { ready: false, restartCount: 1 }, {}],
    };
    expect(cells(POD, { spec: { containers, nodeName: 'node-a' }, status })).toMatchObject({
      Ready: '1/2',
      Status: 'Running',
      Restarts: '3',
      IP: '10.0.0.7',
      Node: 'node-a',
      'Nominated Node': 'node-b',
    });
  });

  test('that is over, or about to be', () => {
    expect(cells(POD, { status: { phase: 'Failed', reason: 'Evicted' } })).toMatchObject({ Status: 'Evicted' });
    expect(
      cells(POD, { metadata: { deletionTimestamp: CREATED }, status: { phase: 'Running', reason: 'x' } }),
    ).toMatchObject({ Status: 'Terminating' });
  });

  test('shows some columns only where more is asked for', () => {
    const wide = table(POD, {}).columnDefinitions.filter(({ priority }) => priority === 1);
    expect(wide.map(({ name }) => name)).toEqual(['IP', 'Node', 'Nominated Node', 'Readiness Gates']);
  });
});

describe('a Node', () => {
  test('that nothing is known of', () => {
    expect(cells(NODE, {})).toEqual({
      Name: 'a',
      Status: 'Unknown',
      Roles: '<none>',
      Age: '90s',
      Version: '',
      'Internal-IP': '<none>',
      'External-IP': '<none>',
      'OS-Image': '<unknown>',
      'Kernel-Version': '<unknown>',
      'Container-Runtime': '<unknown>',
    });
  });

  test('that is ready', () => {
    const labels = { 'node-role.kubernetes.io/worker': '', 'node-role.kubernetes.io/edge': '', other: '' };
    const status = {
      conditions: [
        { type: 'MemoryPressure', status: 'False' },
        { type: 'Ready', status: 'True' },
      ],
      addresses: [
        { type: 'InternalIP', address: '10.1.0.1' },
        { type: 'ExternalIP', address: '192.0.2.1' },
      ],
      nodeInfo: {
        kubeletVersion: 'v1.36.3',
        osImage: 'Linux',
        kernelVersion: '6',
        containerRuntimeVersion: 'c://2',
        architecture: 'arm64',
      },
    };
    expect(cells(NODE, { metadata: { labels }, status })).toMatchObject({
      Status: 'Ready',
      Roles: 'edge,worker',
      Version: 'v1.36.3',
      'Internal-IP': '10.1.0.1',
      'External-IP': '192.0.2.1',
      'OS-Image': 'Linux',
      'Kernel-Version': '6 (arm64)',
      'Container-Runtime': 'c://2',
    });
  });

  test('of an unknown architecture, or shown by Kubernetes 1.33', () => {
    const nodeInfo = { kernelVersion: '6' };
    expect(cells(NODE, { status: { nodeInfo } })).toMatchObject({ 'Kernel-Version': '6' });
    const status = { nodeInfo: { ...nodeInfo, architecture: 'arm64' } };
    expect(cells(NODE, { status }, '1.33')).toMatchObject({ 'Kernel-Version': '6' });
    expect(cells(NODE, {}, '1.33')).toMatchObject({ 'Kernel-Version': '<unknown>' });
  });

  test('that is not, and takes no more Pods', () => {
    const status = { conditions: [{ type: 'Ready', status: 'False' }] };
    expect(cells(NODE, { spec: { unschedulable: true }, status })).toMatchObject({
      Status: 'NotReady,SchedulingDisabled',
    });
  });
});

test('a Secret shows its type and how much it holds', () => {
  expect(cells(SECRET, { type: 'Opaque', data: { a: '', b: '' } })).toMatchObject({ Type: 'Opaque', Data: 2 });
  expect(cells(SECRET, {})).toMatchObject({ Type: '', Data: 0 });
});

test('a binding shows its role, and whom it is for', () => {
  const subjects = [
    { kind: 'User', name: 'jane' },
    { kind: 'User', name: 'joe' },
    { kind: 'ServiceAccount', name: 'web', namespace: 'shop' },
    { kind: 'ServiceAccount', name: 'here' },
  ];
  expect(cells(ROLE_BINDING, { roleRef: { kind: 'Role', name: 'reader' }, subjects })).toMatchObject({
    Role: 'Role/reader',
    Users: 'jane, joe',
    Groups: '',
    ServiceAccounts: 'shop/web, /here',
  });
  expect(cells(ROLE_BINDING, { roleRef: { kind: 'Role', name: 'reader' } })).toMatchObject({ Users: '' });
});

test('a role shows when it was made', () => {
  expect(cells(CLUSTER_ROLE, {})).toEqual({ Name: 'a', 'Created At': CREATED });
});

test('a ServiceAccount shows how many Secrets it has up to Kubernetes 1.33', () => {
  expect(cells(SERVICE_ACCOUNT, { secrets: [{ name: 's' }] })).toEqual({ Name: 'a', Age: '90s' });
  expect(cells(SERVICE_ACCOUNT, { secrets: [{ name: 's' }] }, '1.33')).toEqual({ Name: 'a', Secrets: 1, Age: '90s' });
  expect(cells(NAMESPACE, { status: {} }, '1.33')).toEqual({ Name: 'a', Status: '', Age: '90s' });
});

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test.each([
  [-SECOND, '0s'],
  [1999, '1s'],
  [119 * SECOND, '119s'],
  [2 * MINUTE, '2m'],
  [125 * SECOND, '2m5s'],
  [10 * MINUTE + SECOND, '10m'],
  [3 * HOUR + MINUTE, '3h1m'],
  [179 * MINUTE, '179m'],
  [8 * HOUR + MINUTE, '8h'],
  [47 * HOUR, '47h'],
  [50 * HOUR, '2d2h'],
  [9 * DAY + HOUR, '9d'],
  [800 * DAY, '2y70d'],
  [3000 * DAY, '8y'],
])('an age of %i ms is %s', (ms, text) => {
  expect(humanDuration(ms)).toBe(text);
});
