import { expect, test } from '@jest/globals';
import { parseLabelSelector } from '../../../src/testing/simulated-cluster/parse-label-selector.ts';
import { thrown } from '../../support/caught.ts';

const metadata = { name: 'web-1', uid: 'u', resourceVersion: '1', creationTimestamp: '' };
const pod = { kind: 'Pod', apiVersion: 'v1', metadata };

test('selects objects by their labels, where they have any', () => {
  expect(parseLabelSelector('app=web')({ ...pod, metadata: { ...metadata, labels: { app: 'web' } } })).toBe(true);
  expect(parseLabelSelector('app=web')(pod)).toBe(false);
  expect(parseLabelSelector('!app')(pod)).toBe(true);
});

test("refuses with Kubernetes' 400", () => {
  expect(thrown(() => parseLabelSelector('app web'))).toMatchObject({
    status: { code: 400 },
    message: "unable to parse requirement: found 'web', expected: in, notin, =, ==, !=, gt, lt",
  });
});
