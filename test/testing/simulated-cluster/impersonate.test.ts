import { describe, expect, test } from '@jest/globals';

import { impersonated } from '../../../src/testing/simulated-cluster/impersonate.ts';
import { StatusError } from '../../../src/testing/simulated-cluster/status.ts';

const caller = { username: 'admin', groups: ['system:masters'] };

/** Whom they make of the caller, and what it must be allowed to do. */
function played(headers: Record<string, string>): { readonly user: object; readonly rights: readonly string[] } {
  const rights: string[] = [];
  const user = impersonated(caller, headers, ({ verb, group, resource, subresource, namespace, name }) => {
    rights.push(
      [verb, [group, resource, subresource].filter(Boolean).join('/'), namespace, name].filter(Boolean).join(' '),
    );
  });
  return { user, rights };
}

describe('the headers make the caller', () => {
  test('itself, where there are none', () => {
    expect(played({ accept: '*/*' })).toEqual({ user: caller, rights: [] });
  });

  test('a user, who is authenticated', () => {
    expect(played({ 'impersonate-user': 'jane' })).toEqual({
      user: { username: 'jane', groups: ['system:authenticated'] },
      rights: ['impersonate users jane'],
    });
  });

  test('a user with all that can be said of one', () => {
    const headers = {
      'impersonate-user': 'jane',
      'impersonate-uid': '7',
      'impersonate-group': 'a, b, system:authenticated',
      'impersonate-extra-scopes%2fof': 'all',
    };
    expect(played(headers)).toEqual({
      user: {
        username: 'jane',
        uid: '7',
        groups: ['a', 'b', 'system:authenticated'],
        extra: { 'scopes/of': ['all'] },
      },
      rights: [
        'impersonate users jane',
        'impersonate groups a',
        'impersonate groups b',
        'impersonate groups system:authenticated',
        'impersonate authentication.k8s.io/userextras/scopes/of all',
        'impersonate authentication.k8s.io/uids 7',
      ],
    });
  });

  test('a ServiceAccount, in the groups of one unless others are given', () => {
    const user = { 'impersonate-user': 'system:serviceaccount:shop:web' };
    expect(played(user)).toEqual({
      user: {
        username: 'system:serviceaccount:shop:web',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
      },
      rights: ['impersonate serviceaccounts shop web'],
    });
    expect(played({ ...user, 'impersonate-group': 'a' }).user).toMatchObject({ groups: ['a', 'system:authenticated'] });
  });

  test('anonymous, who is not authenticated', () => {
    const user = { 'impersonate-user': 'system:anonymous' };
    expect(played(user).user).toEqual({ username: 'system:anonymous', groups: ['system:unauthenticated'] });
    expect(played({ ...user, 'impersonate-group': 'a' }).user).toMatchObject({ groups: ['a'] });
  });
});

test.each(['impersonate-uid', 'impersonate-group', 'impersonate-extra-a'])('%s without a user is 400', (header) => {
  expect(() => played({ [header]: 'x' })).toThrow('without impersonating a user name');
});

test('what is not allowed is refused', () => {
  expect(() =>
    impersonated(caller, { 'impersonate-user': 'jane' }, () => {
      throw new StatusError(403, 'Forbidden', 'no');
    }),
  ).toThrow('no');
});
