import { expect, test } from '@jest/globals';
import request from 'supertest';
import { requireNode } from '../../src/express/require-node.ts';
import { fakeIdentity } from '../../src/testing/fake-identity.ts';
import { guardedApp } from './support/guarded-app.ts';

const agent = fakeIdentity('kube-system/agent', { node: 'node-a' });
const podOnNode = fakeIdentity('kube-system/agent', { pod: 'agent-1', node: 'node-a' });
const nodeless = fakeIdentity('shop/web', { pod: 'web-1' });

test.each([
  ['a token bound to the Node', true, agent],
  ['a token bound to a Pod on the Node', true, podOnNode],
  ['a token that names no Node', false, nodeless],
  ['a token that names another Node', false, fakeIdentity('kube-system/agent', { node: 'node-b' })],
])('%s: allowed is %j', (_name, allowed, identity) => {
  expect(requireNode('node-a').check(identity)).toBe(allowed);
  expect(requireNode(['node-c', 'node-a']).check(identity)).toBe(allowed);
});

test('agents may speak only for their own Node', async () => {
  const app = guardedApp([requireNode((req) => req.params['value'])], { identity: agent });

  expect((await request(app).get('/node-a')).status).toBe(200);
  expect((await request(app).get('/node-b')).status).toBe(403);
  expect((await request(app).get('/undefined')).status).toBe(403);
});

test('a token that names no Node is not on one called "undefined"', async () => {
  const app = guardedApp([requireNode((req) => req.params['value'])], { identity: nodeless });

  expect((await request(app).get('/undefined')).status).toBe(403);
  expect(requireNode('undefined').check(nodeless)).toBe(false);
});

test('a parameter that is not there refuses a token that names no Node', async () => {
  const app = guardedApp([requireNode((req) => req.params['node'])], { identity: nodeless });

  expect((await request(app).get('/any')).status).toBe(403);
});

test('no value, or a missing one, throws where the guard is made', () => {
  expect(() => requireNode()).toThrow('requireNode: expected at least one Node, got none');
  expect(() => requireNode(process.env['NO_SUCH_VARIABLE'] as string)).toThrow(/^requireNode: .*undefined/);
});

test('its description says what it asks', () => {
  expect(requireNode('node-a').description).toBe('Node node-a');
});
