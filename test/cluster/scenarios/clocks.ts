import { accepted, authenticated, refused, rejected } from '../conformance/expected.ts';
import { podToken } from '../conformance/pod-token.ts';
import type { Scenario } from '../conformance/scenario.ts';
import type { Scene } from '../conformance/scene.ts';

const bound = { pod: 'web-1', node: 'node-a' };

/** The ordinary token with other times, in seconds from now. */
function withTimes(times: Readonly<Record<string, number>>): Scenario['situation'] {
  return async (scene: Scene) => {
    const shifted = Object.entries(times).map(([claim, seconds]) => [claim, scene.now + seconds]);
    return { token: scene.resigned(await podToken(scene), Object.fromEntries(shifted)) };
  };
}

const expired = '[invalid bearer token, service account token has expired]';
const notYet = '[invalid bearer token, service account token is not valid yet]';

export const clocks: readonly Scenario[] = [
  {
    name: 'expires in a minute',
    needsSecrets: true,
    situation: withTimes({ exp: 60 }),
    expected: accepted(bound),
  },
  {
    name: 'expired a second ago: within the leeway of both',
    needsSecrets: true,
    situation: withTimes({ iat: -700, nbf: -700, exp: -1 }),
    expected: accepted(bound),
  },
  {
    name: 'expired 50 s ago: still good for the API server, not for us',
    needsSecrets: true,
    situation: withTimes({ iat: -700, nbf: -700, exp: -50 }),
    expected: { review: authenticated(bound), ...rejected('token_expired') },
  },
  {
    name: 'expired 65 s ago',
    needsSecrets: true,
    situation: withTimes({ iat: -700, nbf: -700, exp: -65 }),
    expected: refused(expired, { code: 'token_expired' }),
  },
  {
    name: 'expired in 1970',
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), { exp: 1 }) }),
    expected: refused(expired, { code: 'token_expired' }),
  },
  {
    name: 'expires while we wait: by 10 s, which is too much for us only',
    needsSecrets: true,
    situation: withTimes({ exp: 35 }),
    waitMs: 45_000,
    expected: { review: authenticated(bound), ...rejected('token_expired') },
  },
  {
    name: 'expires while we wait, long ago by now',
    needsSecrets: true,
    situation: withTimes({ exp: -3 }),
    waitMs: 63_000,
    expected: refused(expired, { code: 'token_expired' }),
  },
  {
    name: 'valid in 50 s: within the leeway of both',
    needsSecrets: true,
    situation: withTimes({ nbf: 50 }),
    expected: accepted(bound),
  },
  {
    name: 'valid in 70 s',
    needsSecrets: true,
    situation: withTimes({ nbf: 70 }),
    expected: refused(notYet, { code: 'token_not_yet_valid' }),
  },
  {
    name: 'valid in 70 s, of which 11 have passed',
    needsSecrets: true,
    situation: withTimes({ nbf: 70 }),
    waitMs: 11_000,
    expected: accepted(bound),
  },
  {
    name: 'issued in 50 s',
    needsSecrets: true,
    situation: withTimes({ iat: 50 }),
    expected: accepted(bound),
  },
  {
    name: 'issued in 70 s',
    needsSecrets: true,
    situation: withTimes({ iat: 70 }),
    expected: refused('[invalid bearer token, service account token is issued in the future]', {
      code: 'token_not_yet_valid',
    }),
  },
  {
    name: 'both too early and too late: the API server tells the former',
    needsSecrets: true,
    situation: withTimes({ nbf: 500, exp: -500 }),
    expected: refused(notYet, { code: 'token_expired' }),
  },
  {
    name: 'never expires',
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), { exp: undefined }) }),
    expected: accepted({ ...bound, expires: false }),
  },
  {
    name: 'expiry as text',
    needsSecrets: true,
    situation: async (scene) => ({
      token: scene.resigned(await podToken(scene), (claims) => ({ ...claims, exp: String(claims['exp']) })),
    }),
    expected: refused('[invalid bearer token, go-jose/go-jose/jwt: expected number value to unmarshal NumericDate]', {
      code: 'token_malformed',
    }),
  },
  {
    name: 'expiry with a fraction, which is cut off',
    needsSecrets: true,
    situation: withTimes({ exp: 600.5 }),
    expected: accepted(bound),
  },
];
