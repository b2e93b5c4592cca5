import { inspect } from 'node:util';
import { expect, test } from '@jest/globals';
import { composeAuthenticator } from '../../src/create-authenticator.ts';
import type { AuthenticatorEvent } from '../../src/authentication/events.ts';
import { caught } from '../support/caught.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { podReview, podToken } from '../support/tokens.ts';

const events: readonly AuthenticatorEvent[] = ['reviewed', 'rejected', 'unavailable', 'refused'];

/** Every way a reviewer can put the token where it should not get out. */
const indiscretions: Readonly<Record<string, (token: string) => unknown>> = {
  'the usual echo in `spec`': (token) => ({ spec: { token }, status: statusOf() }),
  'a rejection that quotes it': (token) => ({ status: { error: `${token} is no good: "${token}"` } }),
  'a rejection that quotes half of it': (token) => ({ status: { error: `bad ${token.slice(0, 200)}` } }),
  'a rejection that quotes it far behind': (token) => ({ status: { error: 'x'.repeat(200) + token } }),
  'a key of `extra` of the wrong type': (token) => ({ status: { ...statusOf(), user: { extra: { [token]: 1 } } } }),
  'a username that is the token': (token) => ({ status: { ...statusOf(), user: { username: token } } }),
  'a group that is the token': (token) => {
    const { user, ...status } = statusOf() as { user: object };
    return { status: { ...status, user: { ...user, groups: [token] } } };
  },
  'an answer that is the token': (token) => token,
  'an Error that quotes it': (token) => Promise.reject(new Error(`cannot post {"token":"${token}"}`)),
  'a string thrown': (token) => Promise.reject(token),
  'an Error thrown at once': (token) => {
    throw new TypeError(token);
  },
  'an identity': () => ({ status: statusOf() }),
};

function statusOf(): object {
  const { authenticated, audiences, ...user } = podReview();
  return { authenticated, audiences, user };
}

test.each(Object.keys(indiscretions))(
  'no part of a token is in any event, log entry, error, status or identity: %s',
  async (name) => {
    const clock = new FakeClock();
    const told: unknown[] = [];
    await using authenticator = composeAuthenticator(
      {
        audiences: 'orders',
        clock,
        log: (entry) => told.push(entry),
        reviewer: async ({ spec }) => indiscretions[name]?.(spec.token),
      },
      'test',
    );
    for (const event of events) authenticator.on(event, (payload) => told.push(payload));
    const token = podToken(clock);
    const [, payload = '', signature = ''] = token.split('.');
    told.push(await authenticator.authenticate(token).catch((error: unknown) => error), authenticator.status());
    told.push(await authenticator.authenticate(`${payload}.${signature}`).catch((error: unknown) => error));
    expect(told.length).toBeGreaterThan(3);
    const text = JSON.stringify(told) + inspect(told, { depth: 20, showHidden: true });
    for (const secret of [token, payload.slice(0, 40), signature.slice(0, 40)]) expect(text).not.toContain(secret);
  },
);

test('an error that reaches the caller says nothing of what the reviewer said', async () => {
  const clock = new FakeClock();
  await using authenticator = composeAuthenticator(
    { audiences: 'orders', clock, log: false, reviewer: () => Promise.reject(new Error('10.0.0.1 refused')) },
    'test',
  );
  const error = await caught(authenticator.authenticate(podToken(clock)));
  expect(inspect(error, { showHidden: true })).not.toContain('10.0.0.1');
});
