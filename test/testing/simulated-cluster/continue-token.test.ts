import { expect, test } from '@jest/globals';
import { continueToken, parseContinueToken } from '../../../src/testing/simulated-cluster/continue-token.ts';

test('a token says where a list goes on', () => {
  expect(parseContinueToken(continueToken({ version: 7, start: '/web-1\0' }))).toEqual({
    version: 7,
    start: 'web-1\0',
  });
  expect(parseContinueToken(continueToken({ version: -1, start: 'web-1\0' }))).toEqual({
    version: -1,
    start: 'web-1\0',
  });
});

test.each([
  ['x', 'illegal base64 data at input byte 0'],
  ['abcde', 'illegal base64 data at input byte 4'],
  ['abcd*', 'illegal base64 data at input byte 4'],
  ['ab*d', 'illegal base64 data at input byte 2'],
  ['abcd', 'it is not one that a list has returned'],
  [encoded({ v: 'meta.k8s.io/v1', rv: 'x', start: 'a' }), 'it is not one that a list has returned'],
  [encoded({ v: 'x', rv: 1, start: 'a' }), 'server does not recognize this encoded version x'],
  [
    encoded({ v: 'meta.k8s.io/v1', rv: 0, start: 'a' }),
    'incorrect encoded start resourceVersion (version meta.k8s.io/v1)',
  ],
  [encoded({ v: 'meta.k8s.io/v1', rv: 1, start: '' }), 'encoded start key empty (version meta.k8s.io/v1)'],
])('%s is refused', (token, why) => {
  expect(() => parseContinueToken(token)).toThrow(`invalid continue token: continue key is not valid: ${why}`);
});

function encoded(content: object): string {
  return Buffer.from(JSON.stringify(content)).toString('base64url');
}
