import { expect, test } from '@jest/globals';
import { Unavailability } from '../../src/authentication/reviewer.ts';

test('an unavailability is an Error that says why, and when to try again', () => {
  const error = new Unavailability('api_server_overloaded', 'HTTP 429', 7);
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    name: 'Unavailability',
    code: 'api_server_overloaded',
    message: 'HTTP 429',
    retryAfterSeconds: 7,
  });
  expect(String(error)).toBe('Unavailability: HTTP 429');
  expect(error.stack).not.toMatch(/\n|\bat\b/);
});
