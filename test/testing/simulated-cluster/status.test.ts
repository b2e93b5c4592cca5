import { expect, test } from '@jest/globals';

import {
  expired,
  expiredContinue,
  internalError,
  invalid,
  isStatus,
  success,
  tooLargeVersion,
} from '../../../src/testing/simulated-cluster/status.ts';

test('a success has details, a failure all that a client can act on', () => {
  const gone = success({ group: '', resource: 'pods' }, 'a', 'u');
  expect(gone).toEqual({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: 'a', kind: 'pods', uid: 'u' },
  });
  expect(isStatus(gone)).toBe(true);
});

test('a version that lies too far back is 410, with a token to go on where there was one', () => {
  expect(expired('too old').status).toMatchObject({ code: 410, reason: 'Expired', message: 'too old', metadata: {} });
  expect(expiredContinue('next').status).toMatchObject({ code: 410, metadata: { continue: 'next' } });
});

test('a version from the future is 504, to be tried again', () => {
  expect(tooLargeVersion(9, 7).status).toMatchObject({
    code: 504,
    message: 'Timeout: Too large resource version: 9, current: 7',
    details: { causes: [{ reason: 'ResourceVersionTooLarge' }], retryAfterSeconds: 1 },
  });
});

test('a problem that is found twice is named once, and listed twice', () => {
  const problem = { field: 'a', reason: 'FieldValueInvalid', message: 'Invalid value: 1: no' } as const;
  const { status } = invalid('Pod', '', 'p', [problem, problem]);
  expect(status.message).toBe('Pod "p" is invalid: a: Invalid value: 1: no');
  expect(status.details?.causes).toHaveLength(2);
});

test.each([[new Error('broken')], ['broken']])('whatever was thrown, as %j, is 500', (error) => {
  expect(internalError(error).status).toMatchObject({ code: 500, message: 'Internal error occurred: broken' });
});
