import { expect, test } from '@jest/globals';

import { withPodDefaults } from '../../../src/testing/simulated-cluster/pod-defaults.ts';

const seconds = (what: string): object => ({
  key: `node.kubernetes.io/${what}`,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 300,
});

test('a Pod that says nothing', () => {
  expect(withPodDefaults()).toEqual({
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
    priority: 0,
    enableServiceLinks: true,
    preemptionPolicy: 'PreemptLowerPriority',
    containers: [],
    tolerations: [seconds('not-ready'), seconds('unreachable')],
  });
});

test('what it says stays', () => {
  const toleration = { key: 'node.kubernetes.io/not-ready', operator: 'Exists' };
  const spec = withPodDefaults({
    serviceAccountName: 'web',
    restartPolicy: 'Never',
    tolerations: [toleration],
    containers: [{ name: 'main', image: 'a', imagePullPolicy: 'Never' }],
  });
  expect(spec).toMatchObject({
    serviceAccountName: 'web',
    serviceAccount: 'web',
    restartPolicy: 'Never',
    tolerations: [toleration, seconds('unreachable')],
    containers: [{ imagePullPolicy: 'Never', terminationMessagePolicy: 'File' }],
  });
  expect(withPodDefaults({ tolerations: 'nonsense' })['tolerations']).toHaveLength(2);
});

test.each([
  ['nginx', 'Always'],
  ['nginx:latest', 'Always'],
  ['nginx:1.27', 'IfNotPresent'],
  ['registry:5000/nginx', 'Always'],
  ['registry:5000/nginx:1.27', 'IfNotPresent'],
  ['nginx@sha256:0123', 'IfNotPresent'],
  [undefined, 'Always'],
])('the image %s is pulled %s', (image, policy) => {
  expect(withPodDefaults({ containers: [{ name: 'main', image }] }).containers).toMatchObject([
    { imagePullPolicy: policy },
  ]);
});
