import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Unavailability } from '../../src/authentication/reviewer.ts';
import { reviewOf, tokenReviewRequest } from '../../src/kubernetes/token-review.ts';
import { thrown } from '../support/caught.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { podToken } from '../support/tokens.ts';

const token = podToken(new FakeClock());
const user = { username: 'system:serviceaccount:shop:web', uid: 'u', groups: ['g'], extra: { key: ['value'] } };
const good = { authenticated: true, user, audiences: ['orders'] };

test('asks for the audiences, and names none where there are none', () => {
  expect(tokenReviewRequest('t', ['orders', 'billing'])).toEqual({
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token: 't', audiences: ['orders', 'billing'] },
  });
  expect(tokenReviewRequest('t', []).spec).toStrictEqual({ token: 't' });
});

describe('an authenticated review', () => {
  test('is read as it stands', () => {
    const answer = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: { creationTimestamp: null },
      spec: { token },
      status: good,
    };
    expect(reviewOf(answer, token)).toStrictEqual({ authenticated: true, ...user, audiences: ['orders'] });
  });

  test('may leave out what is empty, as Go does', () => {
    expect(reviewOf({ status: { authenticated: true, user: { username: 'admin' } } }, token)).toStrictEqual({
      authenticated: true,
      username: 'admin',
      uid: '',
      groups: [],
      extra: {},
      audiences: [],
    });
  });

  test('has no `extra` of the key `__proto__`', () => {
    const answer = JSON.parse(
      '{"status":{"authenticated":true,"user":{"username":"u","extra":{"__proto__":["x"],"a":["b"]}}}}',
    ) as unknown;
    const review = reviewOf(answer, token) as { extra: object };
    expect(Object.getPrototypeOf(review.extra)).toBe(Object.prototype);
    expect(Object.entries(review.extra)).toEqual([['a', ['b']]]);
  });
});

describe('a rejection', () => {
  test.each([
    ['as the API server gives it', { user: {}, error: '[invalid bearer token]' }, '[invalid bearer token]'],
    ['said with false', { authenticated: false, error: 'no' }, 'no'],
    ['without a reason', {}, 'the API server gave no reason'],
    [
      'with a user all the same',
      { authenticated: false, user, audiences: ['orders'] },
      'the API server gave no reason',
    ],
    ['with a user and nothing said', { user, audiences: ['orders'] }, 'the API server gave no reason'],
  ])('%s', (_, status, error) => {
    expect(reviewOf({ status }, token)).toEqual({ authenticated: false, error });
  });

  test('gives its reason on one line, without the token', () => {
    expect(reviewOf({ status: { error: `no\n${token}` } }, token)).toEqual({
      authenticated: false,
      error: 'no [token]',
    });
  });
});

const nonsense: readonly (readonly [string, unknown])[] = [
  ['undefined', undefined],
  ['null', null],
  ['a number', 201],
  ['HTML', '<html><body>authenticated: true</body></html>'],
  ['a list', [{ status: good }]],
  ['an object without status', {}],
  ['a status that is null', { status: null }],
  ['a status that is true', { status: true }],
  ['a status that is a list', { status: [good] }],
  ['a Status object', { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: 'no' }],
  ['another kind', { kind: 'SubjectAccessReview', status: good }],
  ['another version', { apiVersion: 'authentication.k8s.io/v1beta1', status: good }],
  ['a kind that is null', { kind: null, status: good }],
  ['authenticated as a string', { status: { ...good, authenticated: 'true' } }],
  ['authenticated as "yes"', { status: { ...good, authenticated: 'yes' } }],
  ['authenticated as a number', { status: { ...good, authenticated: 1 } }],
  ['authenticated as an object', { status: { ...good, authenticated: {} } }],
  ['authenticated as null', { status: { ...good, authenticated: null } }],
  ['authenticated with an error', { status: { ...good, error: 'but' } }],
  ['authenticated without a user', { status: { authenticated: true, audiences: ['orders'] } }],
  ['authenticated with a user that is null', { status: { ...good, user: null } }],
  ['authenticated with a user that is a string', { status: { ...good, user: user.username } }],
  ['authenticated without a username', { status: { ...good, user: { ...user, username: undefined } } }],
  ['authenticated with an empty username', { status: { ...good, user: { ...user, username: '' } } }],
  ['a username that is a list', { status: { ...good, user: { ...user, username: [user.username] } } }],
  ['a uid that is a number', { status: { ...good, user: { ...user, uid: 1 } } }],
  ['groups as a string', { status: { ...good, user: { ...user, groups: 'admin' } } }],
  ['groups with a number', { status: { ...good, user: { ...user, groups: ['a', 1] } } }],
  ['groups as null', { status: { ...good, user: { ...user, groups: null } } }],
  ['extra as a list', { status: { ...good, user: { ...user, extra: ['a'] } } }],
  ['extra with a string', { status: { ...good, user: { ...user, extra: { key: 'value' } } } }],
  ['extra with a list of lists', { status: { ...good, user: { ...user, extra: { key: [['value']] } } } }],
  ['extra with a key that quotes the token', { status: { ...good, user: { ...user, extra: { [token]: 1 } } } }],
  ['extra with a symbol', { status: { ...good, user: { ...user, extra: { [Symbol('key')]: 1 } } } }],
  ['audiences as a string', { status: { ...good, audiences: 'orders' } }],
  ['audiences with null', { status: { ...good, audiences: [null] } }],
  ['an error that is an object', { status: { error: { message: 'no' } } }],
  ['a function', () => ({ status: good })],
  ['a promise of an answer', Promise.resolve({ status: good })],
];

describe('no verdict at all comes from', () => {
  test.each(nonsense)('%s', (_, answer) => {
    const error = thrown(() => reviewOf(answer, token));
    expect(error).toBeInstanceOf(Unavailability);
    expect(error).toMatchObject({ code: 'answer_invalid' });
    const { message } = error as Unavailability;
    expect(message.length).toBeLessThan(400);
    expect(message).not.toContain(token.slice(0, 60));
  });

  test('whatever else, unless it is authenticated: true with a username', () => {
    const value = fc.oneof(fc.anything(), fc.jsonValue());
    const answers = fc.oneof(
      value,
      fc.record({ status: value }),
      fc.record({
        status: fc.record(
          {
            authenticated: fc.oneof(fc.constantFrom<unknown>('true', 1, null, false), value),
            user: fc.oneof(fc.constant(user), value),
            audiences: fc.oneof(fc.constant(['orders']), value),
            error: value,
          },
          { requiredKeys: [] },
        ),
      }),
    );
    fc.assert(
      fc.property(answers, (answer) => {
        try {
          const review = reviewOf(answer, token);
          const { status } = answer as { status: { authenticated?: unknown; user?: { username?: unknown } } };
          return !review.authenticated || (status.authenticated === true && typeof status.user?.username === 'string');
        } catch (error) {
          return error instanceof Unavailability && error.code === 'answer_invalid';
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
