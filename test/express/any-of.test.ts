import { expect, test } from '@jest/globals';
import request from 'supertest';
import { anyOf, requireBoundPod, requireIdentity, requireNamespace, requireNode } from '../../src/index.ts';
import { fakeIdentity } from '../../src/testing/fake-identity.ts';
import { guardedApp } from './support/guarded-app.ts';

const web = fakeIdentity('shop/web', { pod: 'web-1' });

test.each([
  ['the first', true, anyOf(requireNamespace('shop'), requireNode('node-a'))],
  ['the last', true, anyOf(requireNode('node-a'), requireNamespace('shop'))],
  ['none', false, anyOf(requireNode('node-a'), requireNamespace('billing'))],
])('of its guards %s allows: allowed is %j', (_name, allowed, guard) => {
  expect(guard.check(web)).toBe(allowed);
});

test('guards are asked in order, and no further than needed', async () => {
  const asked: string[] = [];
  const asking = (name: string, answer: boolean): ReturnType<typeof requireIdentity> =>
    requireIdentity(async () => {
      asked.push(name);
      return answer;
    });
  const guard = anyOf(asking('first', false), asking('second', true), asking('third', true));

  expect((await request(guardedApp([guard], { identity: web })).get('/any')).status).toBe(200);
  expect(asked).toEqual(['first', 'second']);
});

test('a guard of the request gets the request', async () => {
  const guard = anyOf(
    requireNode((req) => req.params['value']),
    requireNamespace((req) => req.params['value']),
  );

  expect((await request(guardedApp([guard], { identity: web })).get('/shop')).status).toBe(200);
  expect((await request(guardedApp([guard], { identity: web })).get('/billing')).status).toBe(403);
});

test.each<[string, readonly unknown[], RegExp]>([
  ['nothing', [], /^anyOf: expected at least one guard, got none$/],
  ['a maker of guards', [requireBoundPod], /^anyOf: argument 1 is not a guard\. If it makes guards, call it\.$/],
  ['a plain function', [requireBoundPod(), () => true], /^anyOf: argument 2 is not a guard\. If it makes guards/],
  ['undefined', [undefined], /^anyOf: argument 1 is not a guard\.$/],
  ['a list of guards', [[requireBoundPod()]], /^anyOf: argument 1 is not a guard\.$/],
  ['a bare rule', [{ description: 'all', check: () => true }], /^anyOf: argument 1 is not a guard\.$/],
  [
    'a function that is only half a guard',
    [Object.assign(() => {}, { check: () => true })],
    /^anyOf: argument 1 is not a guard/,
  ],
  [
    'one whose check is no function',
    [Object.assign(() => {}, { check: true, description: 'all' })],
    /^anyOf: argument 1 is not a guard/,
  ],
])('%s throws where it is made', (_name, guards, message) => {
  const make = (): unknown => anyOf(...(guards as never[]));

  expect(make).toThrow(TypeError);
  expect(make).toThrow(message);
});

test('its description says what it asks', () => {
  expect(anyOf(requireNamespace('shop'), requireBoundPod()).description).toBe(
    'any of (namespace shop, a Pod-bound token)',
  );
});
