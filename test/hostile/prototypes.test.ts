import { afterEach, expect, test } from '@jest/globals';
import { composeAuthenticator } from '../../src/create-authenticator.ts';
import { PublishedKeys } from '../../src/kubernetes/published-keys.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { base64url, podClaims, podReview } from '../support/tokens.ts';

const clock = new FakeClock();
const { authenticated, audiences, ...user } = podReview();
const truth = JSON.stringify({ status: { authenticated, audiences, user } });
const claims = JSON.stringify(podClaims(clock));

/** What nobody may add to, so that every object of the process has it. */
const prototypes = [Object.prototype, Array.prototype, String.prototype, Function.prototype, Promise.prototype];
const propertiesOf = (): PropertyKey[][] => prototypes.map((prototype) => Reflect.ownKeys(prototype));
const untouched = propertiesOf();
afterEach(() => {
  expect(propertiesOf()).toEqual(untouched);
});

/** JSON with a member in front of every object's own: as `JSON.parse` reads it, a property of that name. */
const inEveryObject = (json: string, member: string): string => json.replaceAll('{', `{${member},`);

async function verdict(payload: string, answer: string): Promise<unknown> {
  await using authenticator = composeAuthenticator(
    { audiences: 'orders', clock, log: false, reviewer: async () => JSON.parse(answer) as unknown },
    'test',
  );
  const token = `${base64url('{"alg":"RS256"}')}.${base64url(payload)}.AAAA`;
  return authenticator.authenticate(token).catch((error: unknown) => error);
}

test.each([
  ['__proto__', '"__proto__":{"exp":1,"authenticated":true,"polluted":true}'],
  ['constructor', '"constructor":{"prototype":{"exp":1,"polluted":true}}'],
  ['prototype', '"prototype":{"polluted":true}'],
])('%s in every object of the claims and of the review changes no prototype and no identity', async (_, member) => {
  const plain = await verdict(claims, truth);
  const { extra, ...rest } = (await verdict(inEveryObject(claims, member), truth)) as { extra: object };
  expect({ ...rest, extra }).toEqual(plain);

  // As a key of `extra` it would have to be a list.
  const list = member.replace(/:.*$/, ':["x"]');
  const answer = inEveryObject(truth, member).replace(`"extra":{${member},`, `"extra":{${list},`);
  const identity = (await verdict(claims, answer)) as { extra: object };
  expect(identity).toMatchObject({ name: 'web', namespace: 'shop', pod: { name: 'web-1', uid: 'uid-of-web-1' } });
  expect(Object.getPrototypeOf(identity.extra)).toBe(Object.prototype);
  expect('polluted' in identity || 'polluted' in identity.extra).toBe(false);
});

test('keys of `extra` that every object has are read as keys like others, but for __proto__, which is left out', async () => {
  const answer = truth.replace(
    '"extra":{',
    '"extra":{"__proto__":["a"],"constructor":["b"],"toString":["c"],"hasOwnProperty":[],',
  );
  const { extra } = (await verdict(claims, answer)) as { extra: object };
  expect(Object.entries(extra).slice(0, 3)).toEqual([
    ['constructor', ['b']],
    ['toString', ['c']],
    ['hasOwnProperty', []],
  ]);
  expect(Object.keys(extra)).not.toContain('__proto__');
  expect(Object.getPrototypeOf(extra)).toBe(Object.prototype);
  // What copies key by key would set the copy's prototype otherwise.
  expect(Object.getPrototypeOf(Object.assign({}, extra))).toBe(Object.prototype);
});

test.each([
  ['a ServiceAccount', claims.replace('"kubernetes.io":{', '"__proto__":{'), truth, 'claims_mismatch'],
  ['an audience', claims.replace('"aud":', '"__proto__":'), truth, 'wrong_audience'],
  ['a Pod of the claims', claims.replace('"pod":', '"__proto__":'), truth, 'claims_mismatch'],
  ['the status of a review', claims, truth.replace('"status":', '"__proto__":'), 'answer_invalid'],
  ['the user of a review', claims, truth.replace('"user":', '"__proto__":'), 'answer_invalid'],
  ['extra', claims, truth.replace('"extra":', '"__proto__":'), 'claims_mismatch'],
  ['audiences of a review', claims, truth.replace('"audiences":', '"__proto__":'), 'wrong_audience'],
])('__proto__ gives nobody %s', async (_name, payload, answer, code) => {
  expect(await verdict(payload, answer)).toMatchObject({ code });
});

test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
  'a published key of the kind or curve %j judges nothing',
  async (name) => {
    const keySet = JSON.parse(
      `{"keys":[{"kid":"k","kty":"${name}","n":"AQAB","e":"AQAB"},{"kid":"k","kty":"EC","crv":"${name}","x":"AA","y":"AA"}]}`,
    ) as unknown;
    const keys = new PublishedKeys(
      async () => keySet,
      clock,
      () => {},
    );
    const token = `${base64url('{"alg":"RS256","kid":"k"}')}.${base64url(claims)}.AAAA`;
    expect(await keys.judge(token)).toBe('possible');
  },
);

test('a key set that is all __proto__ is none', async () => {
  const codes: string[] = [];
  const keySet = JSON.parse('{"__proto__":{"keys":[]}}') as unknown;
  const keys = new PublishedKeys(
    async () => keySet,
    clock,
    ({ code }) => codes.push(code),
  );
  await keys.ready();
  expect([codes, keys.keysFetchedAt]).toEqual([['keys_unavailable'], undefined]);
});

test('a token whose kid is __proto__, or the name of a method, is of an unknown key', async () => {
  const keys = new PublishedKeys(
    async () => ({ keys: [{ kid: 'k', kty: 'RSA', n: 'AQAB', e: 'AQAB' }] }),
    clock,
    () => {},
  );
  for (const kid of ['__proto__', 'constructor', 'filter']) {
    const token = `${base64url(JSON.stringify({ alg: 'RS256', kid }))}.${base64url(claims)}.AAAA`;
    expect(await keys.judge(token)).toBe('unknown_key');
  }
});
