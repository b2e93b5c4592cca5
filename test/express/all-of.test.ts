import { expect, test } from '@jest/globals';
import request from 'supertest';
import { allOf, requireBoundPod, requireIdentity, requireNamespace } from '../../src/index.ts';
import { fakeIdentity } from '../../src/testing/fake-identity.ts';
import { guardedApp } from './support/guarded-app.ts';

const web = fakeIdentity('shop/web', { pod: 'web-1' });

test.each([
  ['all', true, allOf(requireNamespace('shop'), requireBoundPod())],
  ['not the first', false, allOf(requireNamespace('billing'), requireBoundPod())],
  ['not the last', false, allOf(requireBoundPod(), requireNamespace('billing'))],
])('of its guards %s allow: allowed is %j', (_name, allowed, guard) => {
  expect(guard.check(web)).toBe(allowed);
});

test('guards are asked in order, and no further than needed', async () => {
  const asked: string[] = [];
  const asking = (name: string, answer: boolean): ReturnType<typeof requireIdentity> =>
    requireIdentity(async () => {
      asked.push(name);
      return answer;
    });
  const guard = allOf(asking('first', true), asking('second', false), asking('third', true));

  expect((await request(guardedApp([guard], { identity: web })).get('/any')).status).toBe(403);
  expect(asked).toEqual(['first', 'second']);
});

test('a guard of the request gets the request', async () => {
  const guard = allOf(
    requireBoundPod(),
    requireNamespace((req) => req.params['value']),
  );

  expect((await request(guardedApp([guard], { identity: web })).get('/shop')).status).toBe(200);
  expect((await request(guardedApp([guard], { identity: web })).get('/billing')).status).toBe(403);
});

test.each<[string, readonly unknown[], RegExp]>([
  ['nothing', [], /^allOf: expected at least one guard, got none$/],
  ['a maker of guards', [requireBoundPod], /^allOf: argument 1 is not a guard\. If it makes guards, call it\.$/],
  ['a plain function', [requireBoundPod(), () => true], /^allOf: argument 2 is not a guard\. If it makes guards/],
  ['undefined', [undefined], /^allOf: argument 1 is not a guard\.$/],
  ['a list of guards', [[requireBoundPod()]], /^allOf: argument 1 is not a guard\.$/],
  ['a bare rule', [{ description: 'all', check: () => true }], /^allOf: argument 1 is not a guard\.$/],
  [
    'a function that is only half a guard',
    [Object.assign(() => {}, { check: () => true })],
    /^allOf: argument 1 is not a guard/,
  ],
  [
    'one whose check is no function',
    [Object.assign(() => {}, { check: true, description: 'all' })],
    /^allOf: argument 1 is not a guard/,
  ],
])('%s throws where it is made', (_name, guards, message) => {
  const make = (): unknown => allOf(...(guards as never[]));

  expect(make).toThrow(TypeError);
  expect(make).toThrow(message);
});

test('its description says what it asks', () => {
  expect(allOf(requireNamespace('shop'), requireBoundPod()).description).toBe(
    'all of (namespace shop, a Pod-bound token)',
  );
});
