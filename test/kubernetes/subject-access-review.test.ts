import { describe, expect, test } from '@jest/globals';
import { accessReviewOf, subjectAccessReviewRequest } from '../../src/kubernetes/subject-access-review.ts';
import { fakeIdentity } from '../../src/testing/fake-identity.ts';
import { thrown } from '../support/caught.ts';

const web = {
  ...fakeIdentity('shop/web', { pod: 'web-1' }),
  extra: { 'authentication.kubernetes.io/pod-name': ['web-1'] },
};

test('asks for the whole caller: name, uid, groups and extra, which webhook authorizers may look at', () => {
  const attributes = { verb: 'get', group: 'orders.example.com', resource: 'orders', namespace: 'shop' };
  expect(subjectAccessReviewRequest(web, attributes)).toEqual({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: 'system:serviceaccount:shop:web',
      uid: web.uid,
      groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/pod-name': ['web-1'] },
      resourceAttributes: attributes,
    },
  });
});

test('asks about a path by nonResourceAttributes alone', () => {
  const { spec } = subjectAccessReviewRequest(web, { verb: 'get', path: '/reports' });
  expect(spec.nonResourceAttributes).toEqual({ verb: 'get', path: '/reports' });
  expect(spec).not.toHaveProperty('resourceAttributes');
});

describe('an answer', () => {
  test.each([
    [
      { allowed: true, reason: 'RBAC: allowed by x' },
      { allowed: true, reason: 'RBAC: allowed by x' },
    ],
    [{ allowed: false }, { allowed: false, reason: '' }],
    [
      { allowed: false, denied: true, reason: 'no' },
      { allowed: false, reason: 'no' },
    ],
    [
      { allowed: false, denied: true, evaluationError: 'a webhook failed' },
      { allowed: false, reason: '' },
    ],
    [
      { allowed: true, evaluationError: 'a webhook failed' },
      { allowed: true, reason: '' },
    ],
    [
      { allowed: false, reason: 'two\nlines' },
      { allowed: false, reason: 'two lines' },
    ],
  ])('that says %j is a decision', (status, review) => {
    expect(accessReviewOf({ apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', status })).toEqual(
      review,
    );
    expect(accessReviewOf({ status })).toEqual(review);
  });

  test('that nobody allowed while an authorizer failed decides nothing', () => {
    expect(
      thrown(() => accessReviewOf({ status: { allowed: false, evaluationError: 'webhook\ntimeout' } })),
    ).toMatchObject({
      code: 'evaluation_failed',
      message: 'An authorizer of the cluster could not decide: webhook timeout',
    });
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a list', []],
    ['an empty object', {}],
    ['no status', { kind: 'SubjectAccessReview' }],
    ['an empty status', { status: {} }],
    ['another kind', { kind: 'TokenReview', status: { allowed: true } }],
    ['another version', { apiVersion: 'authorization.k8s.io/v2', status: { allowed: true } }],
    ['allowed as a text', { status: { allowed: 'true' } }],
    ['allowed as a number', { status: { allowed: 1 } }],
    ['denied as a text', { status: { allowed: true, denied: 'no' } }],
    ['a reason that is none', { status: { allowed: true, reason: {} } }],
    ['allowed and denied', { status: { allowed: true, denied: true } }],
  ])('that is %s is answer_invalid', (_name, answer) => {
    expect(thrown(() => accessReviewOf(answer))).toMatchObject({ code: 'answer_invalid' });
  });
});
