import { expect, test } from '@jest/globals';

import { withNodeDefaults } from '../../../src/testing/simulated-cluster/node-defaults.ts';

const notReady = { effect: 'NoSchedule', key: 'node.kubernetes.io/not-ready' };

test('nothing is to run on a new Node, and nothing is known of it', () => {
  expect(withNodeDefaults({ metadata: { name: 'a' } })).toMatchObject({
    metadata: { name: 'a' },
    spec: { taints: [notReady] },
    status: { daemonEndpoints: { kubeletEndpoint: { Port: 0 } }, nodeInfo: { kubeletVersion: '', osImage: '' } },
  });
});

test('what is said of it stays', () => {
  const taints = [
    { key: 'mine', effect: 'NoExecute' },
    { ...notReady, effect: 'NoExecute' },
  ];
  const status = { addresses: [], nodeInfo: { kubeletVersion: 'v1' } };
  expect(withNodeDefaults({ spec: { unschedulable: true, taints }, status })).toMatchObject({
    spec: { unschedulable: true, taints: [...taints, notReady] },
    status: { addresses: [], nodeInfo: { kubeletVersion: 'v1', osImage: '' } },
  });
  expect(withNodeDefaults({ spec: { taints: [notReady] } }).spec?.['taints']).toEqual([notReady]);
});
