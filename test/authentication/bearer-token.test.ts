import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { bearerToken, maxTokenLength, tokenFault } from '../../src/authentication/bearer-token.ts';
import { ServiceAccountAuthError } from '../../src/authentication/errors.ts';
import { thrown } from '../support/caught.ts';

const token68 = /^[A-Za-z0-9\-._~+/]+=*$/;

test.each([
  ['the usual spelling', 'Bearer abc.def.ghi', 'abc.def.ghi'],
  ['a lower-case scheme', 'bearer abc', 'abc'],
  ['an upper-case scheme', 'BEARER abc', 'abc'],
  ['a scheme in mixed case', 'bEaReR abc', 'abc'],
  ['several spaces', 'Bearer    abc', 'abc'],
  ['every character of token68', 'Bearer azAZ09-._~+/==', 'azAZ09-._~+/=='],
  ['the longest token', `Bearer ${'a'.repeat(8192)}`, 'a'.repeat(8192)],
  ['a header that came as a list of one', ['Bearer abc'], 'abc'],
])('finds the bearer token in %s', (_, header, token) => {
  expect(bearerToken(header)).toBe(token);
});

test.each([
  ['no header', undefined],
  ['an empty header', ''],
  ['an empty list', []],
  ['a list of an empty header', ['']],
  ['Basic', 'Basic dXNlcjpwYXNz'],
  ['Digest with its commas', 'Digest username="a", realm="b"'],
  ['a scheme alone', 'Negotiate'],
  ['a scheme that starts as Bearer does', 'Bearers abc'],
  ['a token without its scheme', 'abc'],
  ['a token joined to its scheme', 'Bearer.abc'],
])('calls it no credentials when there is %s', (_, header) => {
  expect(thrown(() => bearerToken(header))).toMatchObject({ code: 'no_credentials', status: 401 });
});

test.each([
  ['the scheme alone', 'Bearer'],
  ['the scheme and a space', 'Bearer '],
  ['a space in front', ' Bearer abc'],
  ['a space behind', 'Bearer abc '],
  ['a tab for a space', 'Bearer\tabc'],
  ['a tab after the space', 'Bearer \tabc'],
  ['a no-break space', 'Bearer\u00a0abc'],
  ['two tokens', 'Bearer abc def'],
  ['the scheme twice', 'Bearer Bearer abc'],
  ['quotes', 'Bearer "abc"'],
  ['a parameter', 'Bearer token="abc"'],
  ['padding alone', 'Bearer ='],
  ['padding in the middle', 'Bearer ab=c'],
  ['a semicolon', 'Bearer abc;def'],
  ['a line break behind', 'Bearer abc\n'],
  ['a line break within', 'Bearer abc\r\ndef'],
  ['a NUL', 'Bearer abc\0'],
  ['a letter outside ASCII', 'Bearer äbc'],
  ['a separator as the scheme', '(Bearer) abc'],
  ['a colon', 'Bearer: abc'],
])('calls it malformed when there is %s', (_, header) => {
  expect(thrown(() => bearerToken(header))).toMatchObject({ code: 'malformed_credentials', status: 400 });
});

test.each([
  ['a comma list in one header', 'Bearer abc, Bearer def'],
  ['two tokens with a comma', 'Bearer abc,def'],
  ['a trailing comma', 'Bearer abc,'],
  ['two headers', ['Bearer abc', 'Bearer def']],
  ['the same header twice', ['Bearer abc', 'Bearer abc']],
  ['a second header of another scheme', ['Bearer abc', 'Basic dXNlcg==']],
])('calls it several credentials when there is %s', (_, header) => {
  expect(thrown(() => bearerToken(header))).toMatchObject({ code: 'several_credentials', status: 400 });
});

test('refuses a token of 8,193 characters as too long, whatever it is made of', () => {
  expect(maxTokenLength).toBe(8192);
  for (const character of ['a', ',', '\0', 'ä']) {
    expect(thrown(() => bearerToken(`Bearer ${character.repeat(8193)}`))).toMatchObject({
      code: 'token_too_long',
      status: 401,
    });
  }
});

test('accepts exactly the characters of token68, each alone and behind another', () => {
  for (let code = 0; code < 0x180; code += 1) {
    const character = String.fromCharCode(code);
    const isPadding = character === '=';
    expect({ code, alone: tokenFault(character) === undefined }).toEqual({
      code,
      alone: token68.test(character),
    });
    expect({ code, behind: tokenFault(`a${character}`) === undefined }).toEqual({
      code,
      behind: isPadding || token68.test(character),
    });
  }
});

test.each([[undefined], [null], [42], [{}], [['abc']], ['']])('finds %p to be no token', (value) => {
  expect(tokenFault(value)).toBe('malformed_credentials');
});

describe('whatever the header is', () => {
  const headers = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ unit: 'grapheme-ascii', maxLength: 60 }).map((text) => `Bearer ${text}`),
    fc.stringMatching(/^[Bb]earer {0,3}[A-Za-z0-9\-._~+/=, "\t]{0,40}$/),
    fc.array(fc.string({ maxLength: 20 }), { maxLength: 3 }),
  );

  test('either a token68 comes out, word for word as sent, or a ServiceAccountAuthError', () => {
    fc.assert(
      fc.property(headers, (header) => {
        let token: string;
        try {
          token = bearerToken(header);
        } catch (error) {
          return error instanceof ServiceAccountAuthError && (error.status === 400 || error.status === 401);
        }
        const [text] = [header].flat();
        return token68.test(token) && text?.endsWith(` ${token}`) === true;
      }),
      { numRuns: 2_000 },
    );
  });
});
