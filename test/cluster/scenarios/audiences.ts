import { accepted, authenticated, refused, rejected, unauthenticated } from '../conformance/expected.ts';
import { KUBERNETES_ISSUER } from '../conformance/issuer.ts';
import { podToken } from '../conformance/pod-token.ts';
import type { Scenario } from '../conformance/scenario.ts';

const bound = { pod: 'web-1', node: 'node-a' };

/** The audiences of a token by those asked for, as the API server quotes them. */
function foreign(token: string, asked: string): string {
  return `[invalid bearer token, token audiences [${token}] is invalid for the target audiences [${asked}]]`;
}

export const audiences: readonly Scenario[] = [
  {
    name: 'several, one of them asked for',
    situation: async (scene) => ({ token: await podToken(scene, { audiences: ['billing', 'orders'] }) }),
    expected: accepted({ ...bound, audiences: ['orders'] }),
  },
  {
    name: 'several, two of three asked for, in the order of the question',
    situation: async (scene) => ({
      token: await podToken(scene, { audiences: ['orders', 'billing', 'stock'] }),
      audiences: ['returns', 'billing', 'orders'],
    }),
    expected: accepted({ ...bound, asked: ['returns', 'billing', 'orders'], audiences: ['billing', 'orders'] }),
  },
  {
    name: 'the same one twice',
    situation: async (scene) => ({ token: await podToken(scene, { audiences: ['orders', 'orders'] }) }),
    expected: accepted(bound),
  },
  {
    name: 'none asked for by the caller, none by the service',
    situation: async (scene) => ({ token: await podToken(scene, { audiences: [] }), audiences: [] }),
    expected: accepted({ ...bound, asked: [] }),
  },
  {
    name: "the API server's own, asked for by name",
    situation: async (scene) => ({ token: await podToken(scene, { audiences: [] }), audiences: [KUBERNETES_ISSUER] }),
    expected: accepted({ ...bound, asked: [KUBERNETES_ISSUER] }),
  },
  {
    name: "the API server's own and ours, both asked for",
    situation: async (scene) => ({
      token: await podToken(scene, { audiences: ['orders', KUBERNETES_ISSUER] }),
      audiences: [KUBERNETES_ISSUER, 'orders'],
    }),
    expected: accepted({ ...bound, asked: [KUBERNETES_ISSUER, 'orders'] }),
  },
  {
    name: "the API server's own, where ours is asked for",
    situation: async (scene) => ({ token: await podToken(scene, { audiences: [] }) }),
    expected: refused(foreign(`"${KUBERNETES_ISSUER}"`, '"orders"'), { code: 'wrong_audience' }),
  },
  {
    name: 'ours, where none is asked for: the API server then means itself',
    situation: async (scene) => ({ token: await podToken(scene), audiences: [] }),
    expected: refused(foreign('"orders"', `"${KUBERNETES_ISSUER}"`), { asked: [] }),
  },
  {
    name: 'a foreign one',
    situation: async (scene) => ({ token: await podToken(scene, { audiences: 'billing' }) }),
    expected: refused(foreign('"billing"', '"orders"'), { code: 'wrong_audience' }),
  },
  {
    name: 'several foreign ones',
    situation: async (scene) => ({
      token: await podToken(scene, { audiences: ['billing', 'stock'] }),
      audiences: ['orders', 'returns'],
    }),
    expected: refused(foreign('"billing" "stock"', '"orders" "returns"'), {
      asked: ['orders', 'returns'],
      code: 'wrong_audience',
    }),
  },
  {
    name: 'ours in capitals',
    situation: async (scene) => ({ token: await podToken(scene, { audiences: 'ORDERS' }) }),
    expected: refused(foreign('"ORDERS"', '"orders"'), { code: 'wrong_audience' }),
  },
  {
    name: 'ours with a slash behind',
    situation: async (scene) => ({ token: await podToken(scene, { audiences: 'orders/' }) }),
    expected: refused(foreign('"orders/"', '"orders"'), { code: 'wrong_audience' }),
  },
  {
    name: 'a URL with a query',
    situation: async (scene) => ({
      token: await podToken(scene, { audiences: 'https://orders.example.com/?a=1&b=<2>' }),
      audiences: ['https://orders.example.com/?a=1&b=<2>'],
    }),
    expected: accepted({ ...bound, asked: ['https://orders.example.com/?a=1&b=<2>'] }),
  },
  {
    name: 'beyond ASCII, which is quoted as it is',
    situation: async (scene) => ({ token: await podToken(scene, { audiences: 'Bestellungen für Übersee' }) }),
    expected: refused(foreign('"Bestellungen für Übersee"', '"orders"'), { code: 'wrong_audience' }),
  },
  {
    name: 'with a quotation mark and a line break, which are escaped',
    situation: async (scene) => ({ token: await podToken(scene, { audiences: 'a "b"\nc\\d' }) }),
    expected: refused(foreign('"a \\"b\\"\\nc\\\\d"', '"orders"'), { code: 'wrong_audience' }),
  },
  {
    name: 'as a string rather than a list',
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), { aud: 'orders' }) }),
    expected: accepted(bound),
  },
  {
    name: "no claim of any, which means the API server's own",
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), { aud: undefined }), audiences: [] }),
    expected: accepted({ ...bound, asked: [] }),
  },
  {
    name: 'no claim of any, where ours is asked for',
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), { aud: undefined }) }),
    expected: refused(foreign(`"${KUBERNETES_ISSUER}"`, '"orders"'), { code: 'wrong_audience' }),
  },
  {
    name: "an empty list, which means the API server's own",
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), { aud: [] }), audiences: [] }),
    expected: accepted({ ...bound, asked: [] }),
  },
  {
    name: 'a number',
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), { aud: 7 }) }),
    expected: refused(
      '[invalid bearer token, go-jose/go-jose/jwt: expected string or array value to unmarshal to Audience]',
      { code: 'token_malformed' },
    ),
  },
  {
    name: 'a list of numbers',
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), { aud: [7] }) }),
    expected: refused(
      '[invalid bearer token, go-jose/go-jose/jwt: expected string or array value to unmarshal to Audience]',
      { code: 'token_malformed' },
    ),
  },
  {
    name: 'the list as the text of a string',
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), { aud: '["orders"]' }) }),
    expected: { review: unauthenticated(foreign('"[\\"orders\\"]"', '"orders"')), ...rejected('wrong_audience') },
  },
  {
    name: 'a hundred, ours the last',
    situation: async (scene) => ({
      token: await podToken(scene, {
        audiences: [...Array.from({ length: 99 }, (_, index) => `audience-${index}`), 'orders'],
      }),
    }),
    expected: { ...accepted(bound), review: authenticated(bound) },
  },
];
