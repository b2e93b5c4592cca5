import { describe, expect, test } from '@jest/globals';
import type { AccessAttributes, ComputedAttributes } from '../../src/authorization/access-attributes.ts';
import {
  accessQuestion,
  computedQuestion,
  described,
  MalformedAttributes,
} from '../../src/authorization/access-question.ts';
import { thrown } from '../support/caught.ts';

const orders = { verb: 'get', group: 'orders.example.com', resource: 'orders' };
const whole = { ...orders, subresource: 'status', namespace: 'shop', name: 'order-1' };

describe('attributes that an author writes down', () => {
  test.each<[AccessAttributes, string]>([
    [orders, 'get orders.orders.example.com'],
    [whole, 'get orders.orders.example.com/status "order-1" in namespace shop'],
    [{ verb: 'list', group: '', resource: 'pods', namespace: 'shop' }, 'list pods in namespace shop'],
    [{ verb: '*', group: '*', resource: '*' }, '* *.*'],
    [{ verb: 'approve-2', group: 'a', resource: 'b', name: 'Ünïcode: 7' }, 'approve-2 b.a "Ünïcode: 7"'],
    [{ verb: 'get', path: '/reports/2026' }, 'get /reports/2026'],
    [{ verb: '*', path: '/' }, '* /'],
  ])('%j are a question', (attributes, words) => {
    const question = accessQuestion(attributes, 'requirePermission');
    expect(question.attributes).toEqual(attributes);
    expect(Object.isFrozen(question.attributes)).toBe(true);
    expect(described(question.attributes)).toBe(words);
  });

  const wrong: readonly (readonly [unknown, string])[] = [
    [{ ...orders, names: 'x' }, 'there is no option "names". Did you mean "name"?'],
    [{ ...orders, ressource: 'x' }, 'there is no option "ressource". Did you mean "resource"?'],
    [{ ...orders, apiGroup: 'x' }, 'there is no option "apiGroup". The options are: verb, group, resource, '],
    [{ ...orders, path: '/x' }, 'there is no option "group". The options are: verb, path'],
    [{ verb: 'get', resource: 'orders' }, 'the option "group" is wrong: expected a string'],
    [{ group: '', resource: 'orders' }, 'the option "verb" is wrong: expected a string'],
    [{ path: '/x' }, 'the option "verb" is wrong: expected a string'],
    [{ ...orders, namespace: undefined }, 'the option "namespace" is undefined. Is an environment variable missing?'],
    [{ ...orders, namespace: '' }, 'the option "namespace" is wrong: "" is empty'],
    [{ ...orders, name: '' }, 'the option "name" is wrong: "" is empty'],
    [{ ...orders, namespace: '*' }, 'the option "namespace" is wrong: "*" is no name of a namespace'],
    [{ ...orders, namespace: 'Shop' }, '"Shop" is no name of a namespace'],
    [{ ...orders, verb: 'GET' }, '"GET" is no verb'],
    [{ ...orders, verb: 'get,list' }, '"get,list" is no verb'],
    [{ ...orders, resource: 'orders/status' }, '"orders/status" is no resource'],
    [{ ...orders, resource: 'orders.example.com' }, '"orders.example.com" is no resource'],
    [{ ...orders, group: 'orders.example.com/v1' }, '"orders.example.com/v1" is no API group'],
    [{ ...orders, subresource: '*' }, '"*" is no subresource'],
    [{ ...orders, name: 'a/b' }, '"a/b" is no name'],
    [{ ...orders, name: ['a'] }, 'the option "name" is wrong: expected a string'],
    [{ verb: 'get', path: 'reports' }, '"reports" does not begin with /'],
    [{ verb: 'get', path: '/a//b' }, '"/a//b" has an empty segment'],
    [{ verb: 'get', path: '*' }, '"*" does not begin with /'],
    [{}, 'the option "verb" is wrong: expected a string'],
    [null, 'the options are wrong'],
    ['get', 'the options are wrong'],
  ];
  test.each(wrong)('%j throw a TypeError that says so', (attributes, message) => {
    const error = thrown(() => accessQuestion(attributes, 'requirePermission'));
    expect(error).toBeInstanceOf(TypeError);
    expect((error as TypeError).message).toMatch(/^requirePermission: /);
    expect((error as TypeError).message).toContain(message);
  });
});

describe('attributes computed from a request', () => {
  const computed = (attributes: unknown): ReturnType<typeof computedQuestion> =>
    computedQuestion(attributes as ComputedAttributes, 'requirePermission');

  test('that are whole are the question that the author would have written down', () => {
    expect(computed(whole)).toEqual(accessQuestion(whole, 'requirePermission'));
    expect(computed({ verb: 'get', path: '/reports' })).toEqual(
      accessQuestion({ verb: 'get', path: '/reports' }, 'requirePermission'),
    );
    expect(computed({ verb: 'get', group: '', resource: 'pods' })?.attributes).toEqual({
      verb: 'get',
      group: '',
      resource: 'pods',
    });
  });

  test.each([
    undefined,
    null,
    '',
    7,
    true,
    ['order-1'],
    ['a', 'b'],
    [],
    {},
    { toString: () => 'order-1' },
    Symbol.iterator,
  ])('a part that is %p is no question at all, and never one about something else', (value) => {
    for (const key of ['name', 'namespace', 'subresource', 'verb', 'resource']) {
      expect(computed({ ...whole, [key]: value })).toBeUndefined();
    }
    expect(computed({ verb: 'get', path: value })).toBeUndefined();
    expect(computed({ verb: value, path: '/x' })).toBeUndefined();
    if (value !== '') expect(computed({ ...whole, group: value })).toBeUndefined();
  });

  test('undefined is no question', () => {
    expect(computed(undefined)).toBeUndefined();
  });

  const longName = 'n'.repeat(254);
  test.each([
    longName,
    'n'.repeat(10_000),
    '.',
    '..',
    'a/b',
    '../x',
    '%2f',
    'a%2Fb',
    'a\0b',
    'a\nb',
    'a\tb',
    'a\u007Fb',
    'a\u200Bb',
    'a\u202Eb',
    'a\u2028b',
    'a\u2029b',
    'a\uD800',
    '\uDC00a',
    'a\uFEFF',
  ])('a name that is %j is malformed', (name) => {
    expect(thrown(() => computed({ ...whole, name }))).toBeInstanceOf(MalformedAttributes);
  });

  test.each(['order-1', 'ORDER.1', 'system:node:a', 'a b', 'é', '日本', '*', 'n'.repeat(253)])(
    'a name that is %j is asked about as it is',
    (name) => {
      expect(computed({ ...whole, name })?.attributes).toEqual({ ...whole, name });
    },
  );

  test.each(['Shop', 'shop.', '-shop', 'sh op', 'shop/x', '*', 's'.repeat(64), 'shop\n'])(
    'a namespace that is %j is malformed',
    (namespace) => {
      expect(thrown(() => computed({ ...whole, namespace }))).toBeInstanceOf(MalformedAttributes);
    },
  );

  test('* for a verb, group or resource is malformed: nobody may choose to ask about all', () => {
    for (const key of ['verb', 'group', 'resource', 'subresource']) {
      expect(thrown(() => computed({ ...whole, [key]: '*' }))).toBeInstanceOf(MalformedAttributes);
    }
  });

  test.each([
    'reports',
    '//reports',
    '/a//b',
    '/a/../b',
    '/a/./b',
    '/..',
    '/a/..',
    '/a/.',
    '/a%2fb',
    '/a%2e%2e/b',
    '/a\\b',
    '/a\nb',
    '/a\0',
    `/${'a'.repeat(1_024)}`,
    '*',
    'http://orders/reports',
  ])('a path that is %j is malformed', (path) => {
    expect(thrown(() => computed({ verb: 'get', path }))).toBeInstanceOf(MalformedAttributes);
  });

  test.each([
    '/',
    '/reports',
    '/reports/',
    '/reports/2026 q1',
    '/a/...',
    '/.well-known/x',
    '/a..b/c',
    `/${'a'.repeat(1_023)}`,
  ])('a path that is %j is asked about as it is', (path) => {
    expect(computed({ verb: 'get', path })?.attributes).toEqual({ verb: 'get', path });
  });

  test.each<[unknown, string]>([
    [{ verb: 'get', group: 'g' }, 'the function returned no resource'],
    [{ path: '/x' }, 'the function returned no verb'],
    [{}, 'the function returned no verb'],
    [{ ...whole, nmae: 'x' }, 'there is no attribute "nmae"'],
    [{ ...whole, path: '/x' }, 'there is no attribute "group"'],
    ['get', 'the function returned string, and no attributes'],
    [null, 'the function returned object, and no attributes'],
    [Promise.resolve(whole), 'the function returned no verb'],
  ])('%p are the mistake of whoever wrote the function', (attributes, message) => {
    const error = thrown(() => computed(attributes));
    expect(error).toBeInstanceOf(TypeError);
    expect((error as TypeError).message).toBe(`requirePermission: ${message}`);
  });

  test('a property that was inherited does not count', () => {
    expect(thrown(() => computed(Object.create(whole)))).toBeInstanceOf(TypeError);
  });
});

test('questions have the same key where they are the same, and else another', () => {
  const all: AccessAttributes[] = [
    orders,
    whole,
    { ...orders, namespace: 'shop' },
    { ...orders, name: 'shop' },
    { ...orders, subresource: 'shop' },
    { ...orders, verb: 'list' },
    { ...orders, group: '' },
    { ...orders, resource: 'invoices' },
    { verb: 'get', path: '/orders' },
    { verb: 'list', path: '/orders' },
    { verb: 'get', path: '/' },
  ];
  const keys = all.map((attributes) => accessQuestion(attributes, 'f').key);
  expect(new Set(keys).size).toBe(all.length);
  expect(accessQuestion({ name: 'order-1', namespace: 'shop', subresource: 'status', ...orders }, 'f').key).toBe(
    keys[1],
  );
});
