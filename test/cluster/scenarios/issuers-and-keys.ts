import { accepted, refused } from '../conformance/expected.ts';
import { podToken } from '../conformance/pod-token.ts';
import type { Scenario } from '../conformance/scenario.ts';

const bound = { pod: 'web-1', node: 'node-a' };

export const issuersAndKeys: readonly Scenario[] = [
  {
    name: 'the second issuer, which discovery does not name',
    needsSecrets: true,
    situation: async (scene) => ({
      token: scene.resigned(await podToken(scene), { iss: scene.secrets.secondIssuer }),
    }),
    expected: accepted(bound),
  },
  {
    name: 'the second key (ES256)',
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), {}, { key: 'second' }) }),
    expected: accepted(bound),
  },
  {
    name: 'the second key without a key ID',
    needsSecrets: true,
    situation: async (scene) => ({
      token: scene.resigned(await podToken(scene), {}, { key: 'second', header: { kid: undefined } }),
    }),
    expected: accepted(bound),
  },
  {
    name: 'the second key and the second issuer',
    needsSecrets: true,
    situation: async (scene) => ({
      token: scene.resigned(await podToken(scene), { iss: scene.secrets.secondIssuer }, { key: 'second' }),
    }),
    expected: accepted(bound),
  },
  {
    name: 'the first key without a key ID',
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), {}, { header: { kid: undefined } }) }),
    expected: accepted(bound),
  },
  {
    name: 'a foreign issuer',
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), { iss: 'https://evil.example.com' }) }),
    expected: refused('invalid bearer token'),
  },
  {
    name: 'our issuer with a slash behind',
    needsSecrets: true,
    situation: async (scene) => ({
      token: scene.resigned(await podToken(scene), { iss: `${scene.cluster.issuer}/` }),
    }),
    expected: refused('invalid bearer token'),
  },
  {
    name: 'no issuer',
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), { iss: undefined }) }),
    expected: refused('invalid bearer token'),
  },
  {
    name: 'a number for an issuer',
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), { iss: 7 }) }),
    expected: refused('invalid bearer token'),
  },
  {
    name: "the legacy tokens' issuer, but the claims of a bound token",
    needsSecrets: true,
    situation: async (scene) => ({
      token: scene.resigned(await podToken(scene, { audiences: [] }), { iss: 'kubernetes/serviceaccount' }),
      audiences: [],
    }),
    expected: refused('[invalid bearer token, namespace claim is missing]', { asked: [] }),
  },
];
