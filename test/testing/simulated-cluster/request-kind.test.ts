import { expect, test } from '@jest/globals';

import { requestInfo } from '../../../src/testing/simulated-cluster/request-info.ts';
import { requestKind } from '../../../src/testing/simulated-cluster/request-kind.ts';

const SHOP = '/api/v1/namespaces/shop';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';

test.each([
  [`${SHOP}/pods`, 'pods'],
  [`${SHOP}/pods?watch=1`, 'watch/pods'],
  [`${SHOP}/pods/a/status`, 'other'],
  [`${SHOP}/serviceaccounts/a/token`, 'serviceaccounts/token'],
  [SHOP, 'namespaces'],
  [`${RBAC}/clusterroles`, 'rbac'],
  [`${RBAC}/clusterroles?watch=1`, 'watch/rbac'],
  ['/apis/coordination.k8s.io/v1/leases?watch=1', 'watch/other'],
  ['/apis/authentication.k8s.io/v1/tokenreviews', 'tokenreviews'],
  ['/apis/apps/v1/deployments', 'other'],
  ['/openid/v1/jwks', 'jwks'],
  ['/readyz/', 'health'],
  ['/nowhere', 'other'],
])('%s counts as %s', (path, kind) => {
  const { pathname, searchParams } = new URL(path, 'https://host');
  expect(requestKind(requestInfo('GET', pathname, searchParams))).toBe(kind);
});
