import { inspect } from 'node:util';
import { describe, expect, jest, test } from '@jest/globals';
import {
  type ErrorCode,
  inRealm,
  isServiceAccountAuthError,
  ServiceAccountAuthError,
} from '../../src/authentication/errors.ts';
import { thrown } from '../support/caught.ts';

const unavailabilities: readonly ErrorCode[] = [
  'configuration_invalid',
  'credential_unreadable',
  'reviewer_unauthenticated',
  'reviewer_forbidden',
  'api_server_unreachable',
  'api_server_timeout',
  'api_server_overloaded',
  'api_server_down',
  'api_server_error',
  'answer_invalid',
  'review_queue_full',
  'unknown_key_limit',
  'reviewer_failed',
  'evaluation_failed',
  'permissions_changing',
  'authenticator_closed',
];
const rejections: readonly ErrorCode[] = [
  'token_too_long',
  'token_malformed',
  'token_expired',
  'token_not_yet_valid',
  'wrong_audience',
  'token_forged',
  'token_refused',
  'not_a_service_account',
  'claims_mismatch',
];

test('no credentials: 401 with a bare challenge', () => {
  expect(new ServiceAccountAuthError('no_credentials')).toMatchObject({
    status: 401,
    headers: { 'WWW-Authenticate': 'Bearer realm="kubernetes"' },
    expose: true,
  });
});

test.each<[ErrorCode]>([['malformed_credentials'], ['several_credentials']])('%s: 400, invalid_request', (code) => {
  expect(new ServiceAccountAuthError(code)).toMatchObject({
    status: 400,
    headers: {
      'WWW-Authenticate':
        'Bearer realm="kubernetes", error="invalid_request", error_description="The Authorization header is malformed"',
    },
    expose: true,
  });
});

test('attributes that cannot exist: 400, invalid_request', () => {
  expect(new ServiceAccountAuthError('attributes_malformed')).toMatchObject({
    status: 400,
    headers: {
      'WWW-Authenticate':
        'Bearer realm="kubernetes", error="invalid_request", error_description="The request names what cannot exist"',
    },
    expose: true,
  });
});

test('every rejection: 401, invalid_token, and the same words, so that a caller learns nothing of the reason', () => {
  for (const code of rejections) {
    expect(new ServiceAccountAuthError(code)).toMatchObject({
      code,
      status: 401,
      message: 'The bearer token is not accepted',
      headers: {
        'WWW-Authenticate':
          'Bearer realm="kubernetes", error="invalid_token", error_description="The bearer token is not accepted"',
      },
      expose: true,
    });
  }
});

test('every unavailability: 503 with Retry-After and no challenge', () => {
  for (const code of unavailabilities) {
    const error = new ServiceAccountAuthError(code);
    expect(error).toMatchObject({ code, status: 503, expose: false });
    expect(error.headers).toEqual({ 'Retry-After': '1' });
    expect(new ServiceAccountAuthError(code, { retryAfterSeconds: 30 }).headers).toEqual({ 'Retry-After': '30' });
  }
});

test('a guard that refuses: 403, insufficient_scope', () => {
  const { status, headers } = new ServiceAccountAuthError('guard_refused', { realm: 'orders' });
  expect(status).toBe(403);
  expect(headers['WWW-Authenticate']).toMatch(/^Bearer realm="orders", error="insufficient_scope"/);
});

test('a missing middleware: 500 without any header', () => {
  const error = new ServiceAccountAuthError('middleware_missing');
  expect(error).toMatchObject({ status: 500, expose: false });
  expect(error.headers).toEqual({});
});

test.each<[ErrorCode, string]>([
  ['no_credentials', 'A bearer token is required'],
  ['malformed_credentials', 'The Authorization header is malformed'],
  ['token_refused', 'The bearer token is not accepted'],
  ['guard_refused', 'The calling ServiceAccount may not do this'],
  ['answer_invalid', 'The caller could not be verified at the moment'],
  ['middleware_missing', 'A guard ran before k8sServiceAccountAuth(): app.use() the middleware first'],
])('the message of %s is %j', (code, message) => {
  expect(new ServiceAccountAuthError(code).message).toBe(message);
});

describe('the error', () => {
  test('has a name and no stack, no cause', () => {
    const error = new ServiceAccountAuthError('token_refused');
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe('ServiceAccountAuthError');
    expect(error.stack ?? '').not.toMatch(/\n|\bat\b/);
    expect('cause' in error).toBe(false);
    expect(inspect(error)).not.toMatch(/\.ts|\.js/);
  });

  test('leaves the stacks of other errors as they were', () => {
    const before = Error.stackTraceLimit;
    expect(new ServiceAccountAuthError('token_refused').status).toBe(401);
    expect(Error.stackTraceLimit).toBe(before);
    expect(new Error('other').stack).toMatch(/\n +at /);
  });

  test('leaves the stacks of other errors as they were even when it is made with a code that there is not', () => {
    const before = Error.stackTraceLimit;
    try {
      expect(thrown(() => new ServiceAccountAuthError('nonsense' as ErrorCode))).toBeInstanceOf(TypeError);
      expect(Error.stackTraceLimit).toBe(before);
    } finally {
      Error.stackTraceLimit = before;
    }
  });
});

test('a challenge can be told in another realm, and what has no challenge stays the same error', () => {
  expect(inRealm(new ServiceAccountAuthError('token_refused'), 'orders').headers['WWW-Authenticate']).toMatch(
    /^Bearer realm="orders", error="invalid_token"/,
  );
  const unavailable = new ServiceAccountAuthError('api_server_overloaded', { retryAfterSeconds: 9 });
  expect(inRealm(unavailable, 'orders')).toBe(unavailable);
});

test('tells its own errors, those of another copy of the package included, from all else', async () => {
  jest.resetModules();
  const copy = await import('../../src/authentication/errors.ts');
  const another = new copy.ServiceAccountAuthError('no_credentials');
  expect(another).not.toBeInstanceOf(ServiceAccountAuthError);
  const own = new ServiceAccountAuthError('token_refused');
  expect([own, another].map(isServiceAccountAuthError)).toEqual([true, true]);
  const others = [
    new Error('no_credentials'),
    { code: 'token_refused', status: 401 },
    'token_refused',
    null,
    undefined,
  ];
  expect(others.map(isServiceAccountAuthError)).toEqual([false, false, false, false, false]);
});

test('leaves an error as it is whose code only a newer copy of the package knows', () => {
  const newer = Object.assign(new ServiceAccountAuthError('token_refused'), { code: 'token_of_the_future' as never });
  expect(inRealm(newer, 'orders')).toBe(newer);
});
