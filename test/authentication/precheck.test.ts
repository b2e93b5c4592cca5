import { describe, expect, test } from '@jest/globals';
import { precheck } from '../../src/authentication/precheck.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { podClaims, unsignedToken } from '../support/tokens.ts';

const clock = new FakeClock();
const now = clock.now() / 1000;
const checked = (changes: Record<string, unknown>, audiences: readonly string[] = ['orders']): unknown =>
  precheck(unsignedToken(podClaims(clock, changes)), audiences, clock);
const passes = { claims: expect.anything() };

test('lets a good token pass, with its claims', () => {
  expect(checked({})).toMatchObject({ claims: { jti: 'credential-1', audiences: ['orders'] } });
});

test('rejects what is no JWT, without a credential ID', () => {
  expect(precheck('readiness-probe', [], clock)).toEqual({ rejected: 'token_malformed', reason: 'not a JWT' });
});

describe('expiry', () => {
  test.each([
    ['in a second', now + 1],
    ['now', now],
    ['4.999 s ago', now - 4.999],
    ['never', undefined],
    ['in the far future', 1e300],
  ])('passes a token that expires %s', (_, exp) => {
    expect(checked({ exp })).toEqual(passes);
  });

  test.each([
    ['5 s ago', now - 5],
    ['a day ago', now - 86_400],
    ['at the epoch', 0],
    ['before the epoch', -1e300],
  ])('rejects a token that expired %s', (_, exp) => {
    expect(checked({ exp })).toMatchObject({ rejected: 'token_expired', credentialId: 'credential-1' });
  });

  test('says how long ago', () => {
    expect(checked({ exp: now - 90 })).toMatchObject({ reason: 'expired 90 s ago' });
  });
});

describe.each(['nbf', 'iat'] as const)('%s', (claim) => {
  test.each([
    ['long ago', 0],
    ['now', now],
    ['60 s ahead', now + 60],
  ])('passes a token where it is %s', (_, start) => {
    expect(checked({ [claim]: start })).toEqual(passes);
  });

  test('says how far ahead', () => {
    expect(checked({ [claim]: now + 90 })).toMatchObject({ reason: `${claim} is 90 s ahead` });
  });

  test.each([
    ['60.001 s ahead', now + 60.001],
    ['a day ahead', now + 86_400],
    ['1e300', 1e300],
  ])('rejects a token where it is %s', (_, start) => {
    expect(checked({ [claim]: start })).toMatchObject({
      rejected: 'token_not_yet_valid',
      reason: expect.stringContaining(`${claim} is `),
      credentialId: 'credential-1',
    });
  });

  test('passes a token without it', () => {
    expect(checked({ [claim]: undefined })).toEqual(passes);
  });
});

describe('audiences', () => {
  test.each([
    ['a string, one of ours', 'orders', ['orders']],
    ['a list with one of ours', ['billing', 'orders'], ['orders']],
    ['one of several of ours', 'billing', ['orders', 'billing']],
    ['absent, with none of ours configured', undefined, []],
    ['foreign, with none of ours configured', ['vault'], []],
  ])('passes a token whose aud is %s', (_, aud, audiences) => {
    expect(checked({ aud }, audiences)).toEqual(passes);
  });

  test.each([
    ['a foreign string', 'vault'],
    ['a string that holds ours', 'orders.example.com'],
    ['a list of foreign ones', ['vault', 'https://kubernetes.default.svc']],
    ['ours in other case', 'Orders'],
    ['ours with a space', 'orders '],
    ['an empty list', []],
    ['an empty string', ''],
    ['absent', undefined],
  ])('rejects a token whose aud is %s', (_, aud) => {
    expect(checked({ aud })).toMatchObject({ rejected: 'wrong_audience', credentialId: 'credential-1' });
  });

  test('says so where a token names none', () => {
    expect(checked({ aud: undefined })).toMatchObject({ reason: 'its audiences are []' });
  });

  test('names the foreign audiences in the reason, in JSON and not at any length', () => {
    expect(checked({ aud: 'va\nult' })).toMatchObject({ reason: String.raw`its audiences are ["va\nult"]` });
    const { reason } = checked({ aud: ['x'.repeat(3_000)] }) as { reason: string };
    expect(reason.length).toBeLessThan(250);
  });
});
