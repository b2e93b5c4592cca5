import { describe, expect, test } from '@jest/globals';
import { apiServerReview } from '../../src/kubernetes/api-server-review.ts';
import type { Answer, ApiServer } from '../../src/kubernetes/api-server.ts';
import { tokenReviewRequest } from '../../src/kubernetes/token-review.ts';
import { caught } from '../support/caught.ts';

const { signal } = new AbortController();
const statusOf = (message: string): string => JSON.stringify({ kind: 'Status', apiVersion: 'v1', message });

function review(answer: Partial<Answer>, token = 'caller-token'): Promise<unknown> {
  const post = async (): Promise<Answer> => ({ status: 201, headers: {}, body: '', ...answer });
  return apiServerReview({ post } as unknown as ApiServer)(tokenReviewRequest(token, []), { signal });
}

test('posts the TokenReview to its path, with the signal', async () => {
  const calls: unknown[] = [];
  const post: ApiServer['post'] = async (...call) => {
    calls.push(call);
    return { status: 201, headers: {}, body: '{}' };
  };
  const request = tokenReviewRequest('caller-token', ['orders']);
  await apiServerReview({ post } as ApiServer)(request, { signal });
  expect(calls).toEqual([['/apis/authentication.k8s.io/v1/tokenreviews', JSON.stringify(request), signal]]);
});

test.each([200, 201])('%d brings the answer, whatever is in it', async (status) => {
  expect(await review({ status, body: '{"any":["thing"]}' })).toEqual({ any: ['thing'] });
  expect(await review({ status, body: 'null' })).toBeNull();
});

test.each([
  ['HTML', '<html>'],
  ['nothing', ''],
  ['half an object', '{"status":{"authenticated":true'],
  ['two objects', '{}{}'],
])('%s for an answer is answer_invalid', async (_, body) => {
  expect(await caught(review({ body }))).toMatchObject({ code: 'answer_invalid', message: 'The answer is not JSON' });
});

describe('what is wrong with us is said to the operator:', () => {
  test('401, our own credential', async () => {
    expect(await caught(review({ status: 401, body: statusOf('Unauthorized') }))).toMatchObject({
      code: 'reviewer_unauthenticated',
      message: expect.stringMatching(
        /^The API server does not accept our own credential: HTTP 401: Unauthorized\..+kubectl rollout restart/,
      ),
    });
  });

  test('403, our rights, and the command that grants them', async () => {
    const forbidden = 'tokenreviews.authentication.k8s.io is forbidden: User "system:anonymous" cannot create resource';
    const error = await caught(review({ status: 403, body: statusOf(forbidden) }));
    expect(error).toMatchObject({ code: 'reviewer_forbidden' });
    expect(String(error)).toContain(forbidden);
    expect(String(error)).toContain(
      'kubectl create clusterrolebinding NAME --clusterrole=system:auth-delegator --serviceaccount=NAMESPACE:SERVICEACCOUNT',
    );
  });

  test('403, and the command is the very one where the API server says who we are', async () => {
    const forbidden = 'tokenreviews is forbidden: User "system:serviceaccount:shop:orders.v1" cannot create resource';
    expect(String(await caught(review({ status: 403, body: statusOf(forbidden) })))).toContain(
      'kubectl create clusterrolebinding shop-orders.v1-reviewer --clusterrole=system:auth-delegator ' +
        '--serviceaccount=shop:orders.v1',
    );
  });

  test.each(['$(rm -rf):x', 'shop:--x', 'shop', 'shop:web;x', 'a:b:c'])(
    '403, and what is no name of a ServiceAccount, %s, is not made part of the command',
    async (name) => {
      const body = statusOf(`forbidden: User "system:serviceaccount:${name}" cannot create`);
      expect(String(await caught(review({ status: 403, body })))).toContain(
        '--serviceaccount=NAMESPACE:SERVICEACCOUNT',
      );
    },
  );
});

describe('what is wrong with the API server', () => {
  test.each([429, 500, 502, 503, 504, 599])('%d is api_server_overloaded', async (status) => {
    expect(await caught(review({ status, body: statusOf('etcd') }))).toMatchObject({
      code: 'api_server_overloaded',
      message: `The API server is in trouble: HTTP ${status}: etcd`,
      retryAfterSeconds: undefined,
    });
  });

  test.each([
    ['1', 1],
    ['7', 7],
    ['60', 60],
    ['61', 60],
    ['86400', 60],
    ['0', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['', undefined],
    ['Wed, 21 Oct 2026 07:28:00 GMT', undefined],
    [undefined, undefined],
  ])('Retry-After %j asks for %j seconds', async (header, seconds) => {
    const headers = header === undefined ? {} : { 'retry-after': header };
    for (const status of [429, 503]) {
      expect(await caught(review({ status, headers }))).toMatchObject({ retryAfterSeconds: seconds });
    }
  });

  test.each([0, 202, 204, 301, 307, 400, 404, 405, 413, 422, 499])('%d is api_server_error', async (status) => {
    expect(await caught(review({ status, body: '{"status":{"authenticated":true}}' }))).toMatchObject({
      code: 'api_server_error',
      message: `We wanted to create TokenReviews, and the API server answers with HTTP ${status} without a Status`,
    });
  });
});

test.each([
  ['HTML', '<html>caller-token</html>'],
  ['another kind', JSON.stringify({ kind: 'TokenReview', message: 'no' })],
  ['a message that is no string', JSON.stringify({ kind: 'Status', message: { token: 'caller-token' } })],
])('quotes nothing from a body that is %s', async (_, body) => {
  expect(await caught(review({ status: 500, body }))).toMatchObject({
    message: 'The API server is in trouble: HTTP 500 without a Status',
  });
});

test('quotes a Status on one line, without the token of the caller', async () => {
  const body = statusOf(`cannot decode\n"caller-token"`);
  expect(await caught(review({ status: 400, body }))).toMatchObject({
    message: 'We wanted to create TokenReviews, and the API server answers with HTTP 400: cannot decode "[token]"',
  });
});
