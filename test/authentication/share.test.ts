import { expect, test } from '@jest/globals';
import { shareOf } from '../../src/authentication/share.ts';

const account = { namespace: 'shop', name: 'web', uid: 'u', pod: undefined, node: undefined, secret: undefined };

test('verified tokens share by their ServiceAccount, and within it by their Pod, wherever they come from', () => {
  const pod = { name: 'web-1', uid: 'uid-of-web-1' };
  expect(shareOf({ ...account, pod }, '10.0.0.7')).toEqual(['verified', 'shop', 'web', 'uid-of-web-1']);
  expect(shareOf(account, '10.0.0.8')).toEqual(['verified', 'shop', 'web', '']);
});

test('the others share by their peer', () => {
  expect(shareOf(undefined, '10.0.0.7')).toEqual(['unverified', '10.0.0.7']);
});

test('a share is small, whatever a token claims', () => {
  const long = 'x'.repeat(8_000);
  const share = shareOf({ ...account, namespace: long, name: long, pod: { name: long, uid: long } }, '');
  expect(share.join('').length).toBeLessThan(1_000);
});
