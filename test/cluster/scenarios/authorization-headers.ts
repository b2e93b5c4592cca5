import {
  accepted,
  authenticated,
  authenticatedAsAnonymous,
  failure,
  identified,
  malformed,
  refusedByNode,
  rejected,
  unauthenticated,
  withoutCredentials,
} from '../conformance/expected.ts';
import { podToken } from '../conformance/pod-token.ts';
import type { Scenario } from '../conformance/scenario.ts';

const bound = { pod: 'web-1', node: 'node-a' };

/** The API server's own words about a TokenReview without a token. */
const noToken = failure(400, 'BadRequest', 'token is required for TokenReview in authentication');
const notAToken = unauthenticated('invalid bearer token');

/** With the ordinary token in it. */
function header(...lines: readonly ((token: string) => string)[]): Scenario['situation'] {
  return async (scene) => {
    const token = await podToken(scene);
    return { authorization: lines.map((line) => line(token)) };
  };
}

function constant(...authorization: readonly string[]): Scenario['situation'] {
  return () => Promise.resolve({ authorization });
}

export const authorizationHeaders: readonly Scenario[] = [
  {
    name: 'as it should be',
    situation: header((token) => `Bearer ${token}`),
    expected: accepted(bound),
  },
  {
    name: 'the scheme in lower case',
    situation: header((token) => `bearer ${token}`),
    expected: accepted(bound),
  },
  {
    name: 'the scheme in mixed case',
    situation: header((token) => `bEARER ${token}`),
    expected: accepted(bound),
  },
  { name: 'none', situation: constant(), expected: { review: noToken, ...withoutCredentials } },
  { name: 'empty', situation: constant(''), expected: { review: noToken, ...withoutCredentials } },
  {
    name: 'blanks only',
    situation: constant('   '),
    expected: { review: authenticatedAsAnonymous, ...withoutCredentials },
  },
  { name: 'the scheme only', situation: constant('Bearer'), expected: { review: noToken, ...malformed() } },
  { name: 'the scheme and a blank', situation: constant('Bearer '), expected: { review: noToken, ...malformed() } },
  {
    name: 'the token without a scheme: taken for an unknown scheme',
    situation: header((token) => token),
    expected: { review: noToken, ...withoutCredentials },
  },
  {
    name: 'basic authentication',
    situation: constant('Basic amFuZTpzZWNyZXQ='),
    expected: { review: notAToken, ...withoutCredentials },
  },
  {
    name: 'digest authentication',
    situation: constant('Digest username="jane", realm="x"'),
    expected: { review: notAToken, ...withoutCredentials },
  },
  {
    name: 'the scheme as the beginning of another',
    situation: header((token) => `BearerToken ${token}`),
    expected: { review: authenticated(bound), ...withoutCredentials },
  },
  {
    name: 'a colon behind the scheme',
    situation: header((token) => `Bearer: ${token}`),
    expected: { review: authenticated(bound), ...malformed() },
  },
  {
    name: 'two blanks, which RFC 7235 allows',
    situation: header((token) => `Bearer  ${token}`),
    expected: { review: authenticatedAsAnonymous, ...identified(bound) },
  },
  {
    name: 'a tab instead of the blank',
    situation: header((token) => `Bearer\t${token}`),
    expected: { review: authenticated(bound), ...malformed() },
  },
  {
    name: 'blanks before and behind, which are not part of the value',
    situation: header((token) => ` Bearer ${token}  `),
    expected: { review: authenticatedAsAnonymous, ...identified(bound) },
  },
  {
    name: 'a blank in the token',
    situation: header((token) => `Bearer ${token.slice(0, 50)} ${token.slice(50)}`),
    expected: { review: notAToken, ...malformed() },
  },
  {
    name: 'a second token behind a blank',
    situation: header((token) => `Bearer ${token} ${token}`),
    expected: { review: authenticated(bound), ...malformed() },
  },
  {
    name: 'a second credential behind a comma',
    situation: header((token) => `Bearer ${token}, Bearer ${token}`),
    expected: { review: notAToken, ...malformed('several_credentials') },
  },
  {
    name: 'the header twice, alike',
    situation: header(
      (token) => `Bearer ${token}`,
      (token) => `Bearer ${token}`,
    ),
    expected: { review: authenticated(bound), ...malformed('several_credentials') },
  },
  {
    name: 'the header twice, the other one basic',
    situation: header(
      (token) => `Bearer ${token}`,
      () => 'Basic amFuZTpzZWNyZXQ=',
    ),
    expected: { review: authenticated(bound), ...malformed('several_credentials') },
  },
  {
    name: 'the token in quotation marks',
    situation: header((token) => `Bearer "${token}"`),
    expected: { review: notAToken, ...malformed() },
  },
  {
    name: 'the token as a parameter',
    situation: header((token) => `Bearer token=${token}`),
    expected: { review: notAToken, ...malformed() },
  },
  {
    name: 'the token escaped for a URL',
    situation: header((token) => `Bearer ${token.replaceAll('.', '%2E')}`),
    expected: { review: notAToken, ...malformed() },
  },
  {
    name: 'padding behind the token',
    situation: header((token) => `Bearer ${token}==`),
    expected: { review: notAToken, ...rejected('token_malformed') },
  },
  {
    name: 'a letter beyond ASCII in the token',
    situation: header((token) => `Bearer ${token}\u00fc`),
    expected: { review: notAToken, ...malformed() },
  },
  {
    name: 'a no-break space before the token',
    situation: header((token) => `Bearer \u00a0${token}`),
    expected: { review: authenticated(bound), ...malformed() },
  },
  {
    name: 'a DEL in the token',
    situation: header((token) => `Bearer ${token}\u007f`),
    expected: { review: notAToken, ...refusedByNode },
  },
  {
    name: 'an asterisk for a token',
    situation: constant('Bearer *'),
    expected: { review: notAToken, ...malformed() },
  },
  {
    name: 'null as text',
    situation: constant('Bearer null'),
    expected: { review: notAToken, ...rejected('token_malformed') },
  },
  {
    name: 'undefined as text',
    situation: constant('Bearer undefined'),
    expected: { review: notAToken, ...rejected('token_malformed') },
  },
  {
    name: 'padding only',
    situation: constant('Bearer =='),
    expected: { review: notAToken, ...malformed() },
  },
  {
    name: '9 kB of a token',
    situation: constant(`Bearer ${'x'.repeat(9_000)}`),
    expected: { review: notAToken, ...rejected('token_too_long') },
  },
];
