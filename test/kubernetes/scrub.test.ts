import { describe, expect, test } from '@jest/globals';
import { scrub } from '../../src/kubernetes/scrub.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { podToken } from '../support/tokens.ts';

const token = podToken(new FakeClock());
const [header = '', payload = '', signature = ''] = token.split('.');

describe('takes out', () => {
  test.each([
    ['a JWT', `bad token ${token}!`],
    ['two JWTs', `${token} ${token}`],
    ['a JWT in JSON', JSON.stringify({ spec: { token } })],
    ['a JWT cut short in its signature', token.slice(0, -100)],
    ['a JWT cut short in its payload', `${header}.${payload.slice(0, 30)}`],
    ['a JWT cut short right behind its header', `${header}.`],
    ['a JWT without its header', `${payload}.${signature}`],
    ['the signature alone', signature],
    ['a JWT where a long text is cut', `${'x'.repeat(4_000)} ${token}`],
    ['a JWT behind many others, where the text is cut', `${token} ${token} ${token} ${token} ${token}`],
  ])('%s', (_, text) => {
    const scrubbed = scrub(text);
    for (const secret of [header, payload.slice(0, 20), signature.slice(0, 20)]) expect(scrubbed).not.toContain(secret);
  });

  test('the secrets it is told, wherever they stand', () => {
    expect(scrub('opaque+secret/1 is not opaque+secret/1', ['opaque+secret/1'])).toBe('[token] is not [token]');
  });

  test('line breaks and control characters, so that nobody forges a log line', () => {
    expect(scrub('one\r\ntwo\u2028three\u2029four\u001b[31m\u0000\u0085five')).toBe('one two three four [31m five');
  });

  test('what is beyond 300 characters', () => {
    const scrubbed = scrub('word '.repeat(10_000));
    expect(scrubbed).toHaveLength(301);
    expect(scrubbed).toMatch(/…$/);
    expect(scrub('a b'.repeat(100))).toBe('a b'.repeat(100));
  });
});

describe('leaves', () => {
  test.each([
    '',
    'connect ECONNREFUSED 127.0.0.1:6443',
    'getaddrinfo ENOTFOUND api-server.production-cluster.example.com',
    'tokenreviews.authentication.k8s.io is forbidden: User "system:serviceaccount:shop:orders-service" cannot create ' +
      'resource "tokenreviews" in API group "authentication.k8s.io" at the cluster scope',
    '/var/run/secrets/kubernetes.io/serviceaccount/token: ENOENT',
    'pod 3e334195-b987-4a3e-93fa-d573d6628c37 in credential 272a5a65-35a0-49e8-be6b-692231c39a04',
  ])('%j as it is, since an operator needs it', (text) => {
    expect(scrub(text)).toBe(text);
  });

  test('a text as it is where a secret is empty', () => {
    expect(scrub('abc', [''])).toBe('abc');
  });
});
