import { describe, expect, test } from '@jest/globals';
import type { Answer, ApiServer } from '../../src/kubernetes/api-server.ts';
import { BoundedReviewer } from '../../src/kubernetes/bounded-reviewer.ts';
import { podLookup } from '../../src/kubernetes/pod-lookup.ts';
import { fakeIdentity } from '../../src/testing/fake-identity.ts';
import { caught } from '../support/caught.ts';

const caller = fakeIdentity('shop/web', { pod: 'web-1' });
const metadata = { namespace: 'shop', name: 'web-1', uid: 'uid-1', labels: { app: 'web' } };
const pod = {
  metadata,
  spec: { containers: [] },
  status: { phase: 'Running', podIP: '10.0.0.7', podIPs: [{ ip: '10.0.0.7' }, { ip: 'fd00::7' }] },
};

function looked(answer: { readonly status?: number; readonly body: unknown }): Promise<unknown> {
  const body = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
  const get = async (path: string, accept: string): Promise<Answer> => {
    expect([path, accept]).toEqual(['/api/v1/namespaces/shop/pods/web-1', 'application/json']);
    return { status: answer.status ?? 200, headers: {}, body };
  };
  const limits = { timeoutMs: 1_000, maxConcurrent: 1, maxQueued: 1 };
  const reviewer = new BoundedReviewer(
    () => Promise.reject(new Error('none')),
    [],
    limits,
    () => {},
  );
  return podLookup({ get } as unknown as ApiServer, reviewer).find(caller, { name: 'web-1', uid: 'uid-1' });
}

describe('a Pod', () => {
  test('is its labels and addresses', async () => {
    expect(await looked({ body: pod })).toEqual({
      labels: { app: 'web' },
      ips: ['10.0.0.7', 'fd00::7'],
      hostNetwork: false,
    });
  });

  test('that does not run yet has no address, and needs no labels', async () => {
    const { labels: _, ...bare } = metadata;
    const nothing = { labels: {}, ips: [], hostNetwork: false };
    expect(await looked({ body: { metadata: bare, spec: {} } })).toEqual(nothing);
    expect(await looked({ body: { metadata: bare, spec: {}, status: { phase: 'Pending' } } })).toEqual(nothing);
  });

  test.each(['Succeeded', 'Failed'])(
    'that has %s has no address any more, though its status keeps it: the network may have given it to another',
    async (phase) => {
      expect(await looked({ body: { ...pod, status: { ...pod.status, phase } } })).toMatchObject({ ips: [] });
    },
  );

  test("may be in its Node's network", async () => {
    expect(await looked({ body: { ...pod, spec: { hostNetwork: true } } })).toMatchObject({ hostNetwork: true });
  });

  test('is gone where there is none of its name, or one of another uid', async () => {
    const body = { kind: 'Status', reason: 'NotFound', message: 'pods "web-1" not found' };
    expect(await looked({ status: 404, body })).toBeUndefined();
    expect(await looked({ body: { ...pod, metadata: { ...metadata, uid: 'uid-2' } } })).toBeUndefined();
  });
});

test.each<[string, unknown, number | undefined, string]>([
  ['no JSON', '<html>', undefined, 'answer_invalid'],
  ['no Pod', {}, undefined, 'answer_invalid'],
  ['null', null, undefined, 'answer_invalid'],
  ['labels that are none', { ...pod, metadata: { ...metadata, labels: ['app'] } }, undefined, 'answer_invalid'],
  ['another Pod', { ...pod, metadata: { ...metadata, name: 'web-2' } }, undefined, 'answer_invalid'],
  ['a Pod of another namespace', { ...pod, metadata: { ...metadata, namespace: 'x' } }, undefined, 'answer_invalid'],
  ['a 404 of a proxy', { message: 'no route' }, 404, 'api_server_error'],
  ['a redirect', {}, 302, 'api_server_error'],
  ['401', {}, 401, 'reviewer_unauthenticated'],
  ['403', {}, 403, 'reviewer_forbidden'],
])('%s says nothing of the Pod', async (_name, body, status, code) => {
  expect(await caught(looked({ body, ...(status !== undefined && { status }) }))).toMatchObject({ code });
});

test('the right that is missing is named', async () => {
  expect(String(await caught(looked({ status: 403, body: {} })))).toMatch(/We may not get Pods.*--resource=pods/);
});
