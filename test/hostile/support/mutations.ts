import * as fc from 'fast-check';

/** Names that mean something to JavaScript, to a JWT or to Kubernetes. */
const names = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'aud',
  'exp',
  'jti',
  'kubernetes.io',
  'status',
  'authenticated',
  'user',
  'extra',
  'groups',
  'authentication.kubernetes.io/pod-name',
  '',
];

const name = fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 8, unit: 'binary' }));

const deep = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));

/** JSON values that are another type than expected, at a limit, or long. */
const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom<unknown>(null, true, false, 0, -1, 1e308, 2 ** 53, '', ' ', [], {}, [null], [''], [[]]),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom<unknown>(
      'orders',
      ['orders'],
      ['orders', 1],
      'true',
      '1800000000',
      'a,b',
      ['a,b'],
      ['a', 'b'],
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<unknown>(
      '<token>',
      ['<token>'],
      'system:serviceaccount:kube-system:admin',
      'system:masters',
      '\n',
      '\0',
      '\ud800',
      'é',
    ),
  },
  { weight: 1, arbitrary: fc.nat(300).map((length) => 'x'.repeat(length)) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 300 }).map(deep) },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
);

type Container = Record<string, unknown> | unknown[];
const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null;

/** Where there is a value in it: the object or list, and its key. */
function places(value: unknown): { readonly in: Container; readonly key: string }[] {
  if (!isContainer(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => [{ in: value, key }, ...places(inner)]);
}

function put(container: Container, key: string, value: unknown): void {
  // As JSON.parse does: a property of that name, whatever the name, and a value that stands nowhere else.
  Object.defineProperty(container, key, {
    value: structuredClone(value),
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

/** Changes JSON somewhere: `at` says where, as a part of all places. */
type Change = (json: unknown, at: number) => void;

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(oddValue).map(
    ([value]): Change =>
      (json, at) =>
        place(json, at, (container, key) => put(container, key, value)),
  ),
  fc.constant<Change>((json, at) =>
    place(json, at, (container, key) => {
      if (Array.isArray(container)) container.splice(Number(key), 1);
      else delete container[key];
    }),
  ),
  fc.tuple(name, oddValue).map(
    ([key, value]): Change =>
      (json, at) =>
        place(json, at, (container) => {
          if (Array.isArray(container)) container.push(structuredClone(value));
          else put(container, key, value);
        }),
  ),
  fc.tuple(name).map(
    ([renamed]): Change =>
      (json, at) =>
        place(json, at, (container, key) => {
          if (Array.isArray(container)) return;
          put(container, renamed, container[key]);
          delete container[key];
        }),
  ),
  fc.constant<Change>((json, at) =>
    place(json, at, (container, key) => {
      const value = (container as Record<string, unknown>)[key];
      put(container, key, Array.isArray(value) ? value[0] : [value, value]);
    }),
  ),
  fc.constant<Change>((json, at) =>
    place(json, at, (container, key) => {
      const value = (container as Record<string, unknown>)[key];
      if (typeof value === 'string') put(container, key, value.toUpperCase());
    }),
  ),
);

function place(json: unknown, at: number, act: (container: Container, key: string) => void): void {
  const all = places(json);
  const chosen = all[Math.floor(at * all.length)];
  if (chosen) act(chosen.in, chosen.key);
}

const part = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

/** JSON text, changed in up to three places, or in how it is written. */
export function mutatedJson(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const changed = fc.tuple(texts, fc.array(fc.tuple(change, part), { maxLength: 3 })).map(([text, changes]) => {
    const json = JSON.parse(text) as unknown;
    for (const [apply, at] of changes) apply(json, at);
    return JSON.stringify(json);
  });
  return fc.oneof(
    { weight: 10, arbitrary: changed },
    // The same key twice.
    {
      weight: 1,
      arbitrary: fc
        .tuple(changed, name, oddValue)
        .map(([text, key, value]) => text.replace('{', `{${JSON.stringify(key)}:${JSON.stringify(value)},`)),
    },
    { weight: 1, arbitrary: changed.map((text) => `\ufeff${text}`) },
    { weight: 1, arbitrary: fc.tuple(changed, part).map(([text, at]) => text.slice(0, at * text.length)) },
    {
      weight: 1,
      arbitrary: fc.oneof(
        fc.json(),
        fc.string({ unit: 'binary' }),
        fc.nat(6_000).map((depth) => '['.repeat(depth)),
      ),
    },
  );
}

const base64urlCharacters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const character = fc.oneof(
  fc.constantFrom(...base64urlCharacters.split('')),
  fc.constantFrom(
    '.',
    '..',
    ',',
    '=',
    ' ',
    '+',
    '/',
    '~',
    '"',
    '\t',
    '\n',
    '\0',
    'é',
    '\u{1F600}',
    '\u2028',
    'Bearer ',
  ),
);

/** A text with some characters more, less or other. */
function mutatedText(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const edit = fc.tuple(part, fc.nat(2), fc.oneof(character, fc.constant('')));
  return fc.tuple(texts, fc.array(edit, { minLength: 1, maxLength: 3 })).map(([text, edits]) =>
    edits.reduce((edited, [at, removed, inserted]) => {
      const from = Math.floor(at * (edited.length + 1));
      return edited.slice(0, from) + inserted + edited.slice(from + removed);
    }, text),
  );
}

const base64url = (text: string): string => Buffer.from(text).toString('base64url');

/** A token whose signature is spelled otherwise: another last character, padding, plain base64. */
function respelled(token: string, how: number): string {
  const last = base64urlCharacters.indexOf(token.slice(-1));
  if (how < 64) return token.slice(0, -1) + (base64urlCharacters[(last + how) % 64] ?? '');
  if (how < 70) return token + '='.repeat(how - 63);
  return token.replaceAll('-', '+').replaceAll('_', '/');
}

/** Tokens: these, changed in how they are written, in their parts, or in what the parts say; and some others. */
export function mutatedTokens(genuine: readonly string[]): fc.Arbitrary<string> {
  const token = fc.constantFrom(...genuine);
  const partOf = (index: number): fc.Arbitrary<string> =>
    token.map((text) => Buffer.from(text.split('.')[index] ?? '', 'base64url').toString());
  return fc.oneof(
    { weight: 2, arbitrary: token },
    { weight: 3, arbitrary: mutatedText(token) },
    { weight: 2, arbitrary: fc.tuple(token, fc.nat(71)).map(([text, how]) => respelled(text, how)) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(token, mutatedJson(partOf(1)))
        .map(([text, payload]) => text.replace(/\..*\./, `.${base64url(payload)}.`)),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(token, mutatedJson(partOf(0)))
        .map(([text, header]) => text.replace(/^[^.]*/, base64url(header))),
    },
    {
      weight: 2,
      arbitrary: fc
        .array(
          fc.oneof(
            fc.constant(''),
            token.map((text) => text.split('.')[1] ?? ''),
            fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
          ),
          { maxLength: 6 },
        )
        .map((parts) => parts.join('.')),
    },
    { weight: 1, arbitrary: fc.tuple(character, fc.nat(9_000)).map(([text, length]) => text.repeat(length)) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  );
}

/** What a request may have for `Authorization`: no header, one or several. */
export function authorizationHeaders(tokens: fc.Arbitrary<string>): fc.Arbitrary<string[]> {
  const scheme = fc.oneof(
    { weight: 6, arbitrary: fc.constant('Bearer') },
    { weight: 2, arbitrary: fc.constantFrom('bearer', 'BEARER', 'bEaReR') },
    {
      weight: 1,
      arbitrary: fc.constantFrom('', 'Basic', 'Bearers', 'Bearer:', 'Token', 'Bеarer', '(Bearer)', 'Bearer\u00a0'),
    },
    { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
  );
  const space = fc.oneof(
    { weight: 8, arbitrary: fc.constant(' ') },
    { weight: 1, arbitrary: fc.constantFrom('', '   ', '\t', ' \t', '\u00a0', ', ', '\n') },
  );
  const header = fc.oneof(
    { weight: 12, arbitrary: fc.tuple(scheme, space, tokens).map((all) => all.join('')) },
    { weight: 1, arbitrary: fc.tuple(tokens, tokens).map(([one, other]) => `Bearer ${one}, Bearer ${other}`) },
    { weight: 1, arbitrary: fc.tuple(tokens, tokens).map(([one, other]) => `Bearer ${one},${other}`) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  );
  return fc.oneof(
    { weight: 20, arbitrary: header.map((one) => [one]) },
    { weight: 1, arbitrary: fc.array(header, { maxLength: 3 }) },
  );
}
