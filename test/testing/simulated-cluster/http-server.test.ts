import { Agent, request } from 'node:https';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type SimulatedCluster,
  startSimulatedCluster,
} from '../../../src/testing/simulated-cluster/simulated-cluster.ts';
import { ClusterClient } from '../../../src/testing/cluster-client/cluster-client.ts';
import { createServerCertificate } from '../../../src/testing/simulated-cluster/certificate.ts';
import { openWatch } from '../../support/open-watch.ts';
import { startHttpServer } from '../../../src/testing/simulated-cluster/http-server.ts';

let cluster: SimulatedCluster;
beforeAll(async () => {
  cluster = await startSimulatedCluster();
});
afterAll(() => cluster.close());

const PODS = '/api/v1/namespaces/default/pods';
const REVIEWS = '/apis/authentication.k8s.io/v1/tokenreviews';

describe('odd requests get the answer of the API server', () => {
  test.each([
    ['GET', '/api/v1/configmaps', 404, 'the server could not find the requested resource'],
    ['GET', '/api/v1/namespaces/default/nodes/n', 404, 'the server could not find the requested resource'],
    ['GET', '/api/v1/pods/p', 404, 'the server could not find the requested resource'],
    ['GET', `${PODS}/p/log`, 404, 'the server could not find the requested resource'],
    ['GET', `${PODS}/p`, 404, 'pods "p" not found'],
    ['GET', '/api/v2', 404, 'the server could not find the requested resource'],
    ['GET', '/apis/rbac.authorization.k8s.io/v1/foos', 404, 'the server could not find the requested resource'],
    ['PUT', '/api/v1/namespaces/default/serviceaccounts/default/status', 404, 'the server could not find'],
    ['POST', '/api/v1/pods', 405, 'the server does not allow this method on the requested resource'],
    ['DELETE', '/api/v1/pods', 405, 'the server does not allow this method on the requested resource'],
    ['DELETE', '/api/v1/namespaces', 405, 'the server does not allow this method on the requested resource'],
    ['GET', '/api/v2/pods', 404, 'the server could not find the requested resource'],
    ['POST', `${PODS}/p`, 405, 'the server does not allow this method on the requested resource'],
    ['GET', `${PODS}/p/status`, 405, 'the server does not allow this method on the requested resource'],
    ['GET', REVIEWS, 405, 'the server does not allow this method on the requested resource'],
    ['POST', '/version', 405, 'the server does not allow this method on the requested resource'],
    ['GET', '/api/v1/namespaces/default/serviceaccounts/default/token', 405, 'the server does not allow this method'],
  ])('%s %s: %i', async (method, path, code, message) => {
    const { status, body } = await cluster.request(method, path);

    expect(status).toBe(code);
    expect(body).toMatchObject({ kind: 'Status', status: 'Failure', code, message: expect.stringContaining(message) });
  });

  test.each(['/nothing', '/apis/unknown.example/v1/things', '/healthz/', '/livez/nothing'])(
    'GET %s: 404 page not found',
    async (path) => {
      const { status, body, headers } = await cluster.request('GET', path);

      expect(status).toBe(404);
      expect(body).toBe('404 page not found\n');
      expect(headers['content-type']).toContain('text/plain');
    },
  );

  test('a malformed percent escape is 400', async () => {
    expect(await cluster.request('GET', '/%zz')).toMatchObject({ status: 400, body: '400 Bad Request' });
  });

  const UNRECOGNIZED =
    "the object provided is unrecognized (must be of type TokenReview): couldn't get version/kind; json parse error: ";
  const UNHANDLED = 'TokenReview in version "v1" cannot be handled as a TokenReview: ';
  const STRUCT = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;

  test.each([
    ['', `${UNRECOGNIZED}unexpected end of JSON input (<empty>)`],
    ['{"a":1', `${UNRECOGNIZED}unexpected end of JSON input ({"a":1)`],
    ['[]', `${UNRECOGNIZED}json: cannot unmarshal array into Go value of type ${STRUCT} (5b5d)`],
    ['null', 'token is required for TokenReview in authentication'],
    [
      '{"spec":5}',
      `${UNHANDLED}json: cannot unmarshal number into Go struct field TokenReview.spec of type v1.TokenReviewSpec`,
    ],
    [
      '{"spec":{"token":5}}',
      `${UNHANDLED}json: cannot unmarshal number into Go struct field TokenReviewSpec.spec.token of type string`,
    ],
    [
      '{"spec":{"audiences":"orders"}}',
      `${UNHANDLED}json: cannot unmarshal string into Go struct field TokenReviewSpec.spec.audiences of type []string`,
    ],
    [
      '{"spec":{"audiences":[true]}}',
      `${UNHANDLED}json: cannot unmarshal bool into Go struct field TokenReviewSpec.spec.audiences of type string`,
    ],
    [
      '{"kind":"Pod","apiVersion":"v1"}',
      'Pod in version "v1" cannot be handled as a TokenReview: converting (v1.Pod) to (authentication.TokenReview): unknown conversion',
    ],
    [
      '{"kind":"TokenReview","apiVersion":"v1"}',
      `${UNHANDLED}no kind "TokenReview" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111"`,
    ],
  ])('the body %j is told apart as the API server does', async (text, message) => {
    const { status, body } = await cluster.request('POST', REVIEWS, text);
    expect(status).toBe(400);
    expect(body).toMatchObject({ message });
  });

  test('a long unreadable body is repeated in part only', async () => {
    const { body } = await cluster.request('POST', REVIEWS, `{${'x'.repeat(5000)}`);
    const { message } = body as { message: string };
    expect(message).toMatch(/x{1023} \.\.\.\)$/);
    expect(message.length).toBeLessThan(1300);
  });

  test.each([
    ['PATCH', '{', 'error decoding patch: unexpected end of JSON input'],
    ['PATCH', '[]', 'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}'],
    ['DELETE', '{', "couldn't get version/kind; json parse error: unexpected end of JSON input"],
    [
      'DELETE',
      '{"gracePeriodSeconds":"x"}',
      'json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64',
    ],
  ])('%s with the body %j is 400', async (method, text, message) => {
    const headers = { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' };
    const path = '/api/v1/namespaces/default/serviceaccounts/default';
    const { status, body } = await cluster.request(method, path, text, { headers });
    expect(status).toBe(400);
    expect(body).toMatchObject({ message });
  });

  test('null stands for an absent field, as in Go', async () => {
    const { body } = await cluster.request('POST', REVIEWS, '{"spec":{"token":"x","audiences":null}}');
    expect(body).toMatchObject({ status: { error: 'invalid bearer token' } });
  });

  test.each([
    ['POST', REVIEWS],
    ['DELETE', `${PODS}/p`],
  ])('%s with an unknown content type is 415', async (method, path) => {
    const headers = { 'content-type': 'text/xml' };
    const { status, body } = await cluster.request(method, path, '<a/>', { headers });
    expect(status).toBe(415);
    expect(body).toMatchObject({
      reason: 'UnsupportedMediaType',
      message: expect.stringContaining('application/json'),
    });
  });

  test('a body of 3 MiB is taken, a larger one is 413', async () => {
    const limit = 3 * 1024 * 1024;

    expect((await cluster.request('POST', REVIEWS, bodyOf(limit))).status).toBe(201);
    const { status, body } = await cluster.request('POST', REVIEWS, bodyOf(limit + 1));
    expect(status).toBe(413);
    expect(body).toMatchObject({ message: 'Request entity too large: limit is 3145728' });
  });

  test.each([
    ['application/json', 406],
    ['application/jwk-set+json', 200],
    ['text/plain, */*;q=0.1', 200],
    ['application/*', 200],
  ])('the keys with Accept: %s: %i', async (accept, status) => {
    const answer = await cluster.request('GET', '/openid/v1/jwks', undefined, { headers: { accept } });
    expect(answer.status).toBe(status);
    if (status === 406) {
      expect(answer.body).toMatchObject({
        reason: 'NotAcceptable',
        message: '406: Not Acceptable\n\nAvailable representations: application/jwk-set+json',
      });
    }
  });
});

function bodyOf(size: number): string {
  return `{"spec":{"token":"${'x'.repeat(size - '{"spec":{"token":""}}'.length)}"}}`;
}

describe('who may do what', () => {
  test.each(['/healthz', '/livez', '/readyz', '/version'])('anybody: GET %s', async (path) => {
    expect((await cluster.request('GET', path, undefined, { token: null })).status).toBe(200);
  });

  test.each([
    ['GET', '/a<b>&c', 'forbidden: User "system:anonymous" cannot get path "/a&lt;b&gt;&amp;c"', {}],
    [
      'GET',
      PODS,
      'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"',
      { kind: 'pods' },
    ],
    [
      'DELETE',
      '/api/v1/nodes/n',
      'nodes "n" is forbidden: User "system:anonymous" cannot delete resource "nodes" in API group "" at the cluster scope',
      { name: 'n', kind: 'nodes' },
    ],
    [
      'POST',
      '/api/v1/namespaces/default/serviceaccounts/default/token',
      'serviceaccounts "default" is forbidden: User "system:anonymous" cannot create resource "serviceaccounts/token" in API group "" in the namespace "default"',
      { name: 'default', kind: 'serviceaccounts' },
    ],
  ])('not anonymous: %s %s', async (method, path, message, details) => {
    const { status, body } = await cluster.request(method, path, undefined, { token: null });
    expect(status).toBe(403);
    expect(body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason: 'Forbidden',
      details,
      code: 403,
    });
  });

  test('a reviewer, once it is allowed to review', async () => {
    const reviewer = await cluster.createServiceAccount('orders/reviewer');
    const token = await reviewer.token();
    const review = async (): Promise<number> => {
      return (await cluster.request('POST', REVIEWS, { spec: { token: 'x' } }, { token })).status;
    };
    expect(await review()).toBe(403);
    await cluster.allow('orders/reviewer', {
      verb: 'create',
      group: 'authentication.k8s.io',
      resource: 'tokenreviews',
    });
    expect(await review()).toBe(201);
  });

  test('a token for another audience is not for the API server', async () => {
    const account = await cluster.createServiceAccount('orders/dedicated');
    const token = await account.token({ audiences: 'orders' });
    expect((await cluster.request('GET', '/version', undefined, { token })).status).toBe(401);
  });

  test('everybody may ask who they are and what they may do', async () => {
    const token = await (await cluster.createServiceAccount('orders/curious')).token();
    const self = await cluster.request('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, { token });
    expect(self.body).toMatchObject({ status: { userInfo: { username: 'system:serviceaccount:orders:curious' } } });

    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const may = async (attributes: object): Promise<unknown> => {
      return (await cluster.request('POST', path, { spec: attributes }, { token })).body;
    };
    expect(await may({ nonResourceAttributes: { verb: 'get', path: '/version' } })).toMatchObject({
      status: { allowed: true },
    });
    expect(await may({ resourceAttributes: { verb: 'get', resource: 'pods' } })).toMatchObject({
      status: { allowed: false },
    });
  });

  test('a SubjectAccessReview of a group asks for what the group may', async () => {
    await cluster.allow({ group: 'staff' }, { verb: 'get', group: 'apps', resource: 'deployments/scale' });
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
    const ask = async (resourceAttributes: object): Promise<unknown> => {
      const { body } = await cluster.request('POST', path, { spec: { groups: ['staff'], resourceAttributes } });
      return (body as { status: unknown }).status;
    };
    const scale = { verb: 'get', group: 'apps', resource: 'deployments', subresource: 'scale' };
    expect(await ask(scale)).toMatchObject({ allowed: true });
    expect(await ask({ ...scale, subresource: '' })).toEqual({ allowed: false });
    expect(await ask({})).toEqual({ allowed: false });
    const { body } = await cluster.request('POST', path, { spec: { user: 'jane', nonResourceAttributes: {} } });
    expect(body).toMatchObject({ status: { allowed: false } });
  });

  test('a SubjectAccessReview without attributes is 422', async () => {
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
    for (const body of [{ spec: { user: 'jane' } }, {}]) {
      const answer = await cluster.request('POST', path, body);
      expect(answer.status).toBe(422);
      expect(answer.body).toMatchObject({
        message: expect.stringContaining(
          'exactly one of nonResourceAttributes or resourceAttributes must be specified',
        ),
      });
    }
    const self = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    expect((await cluster.request('POST', self, {})).status).toBe(422);
  });
});

describe('counters', () => {
  test('count what users ask for, by kind, and their connections, not what the test itself does', async () => {
    await using fresh = await startSimulatedCluster();
    const agent = new Agent({ ca: fresh.ca, keepAlive: true, maxSockets: 3 });
    await fresh.createPod('shop/web-1');
    expect(fresh.requests.total).toBe(0);
    expect(fresh.connections).toEqual({ opened: 0, open: 0, peakOpen: 0 });

    await Promise.all(Array.from({ length: 10 }, (_, index) => get(fresh, agent, index < 4 ? '/version' : '/healthz')));

    expect(fresh.requests).toMatchObject({ version: 4, health: 6, tokenreviews: 0, total: 10, pending: 0 });
    expect(fresh.requests.peakPending).toBeGreaterThanOrEqual(1);
    expect(fresh.requests.peakPending).toBeLessThanOrEqual(3);
    expect(fresh.connections).toEqual({ opened: 3, open: 3, peakOpen: 3 });
    agent.destroy();
  });

  test('count a request that waits', async () => {
    await using fresh = await startSimulatedCluster();
    const agent = new Agent({ ca: fresh.ca });
    using fault = fresh.fault('*', { hang: true });
    const outcomes = Promise.allSettled([get(fresh, agent, '/version'), get(fresh, agent, '/version')]);
    while (fault.hits < 2) await new Promise((resolve) => setImmediate(resolve));

    expect(fresh.requests).toMatchObject({ pending: 2, peakPending: 2 });
    fault[Symbol.dispose]();
    await outcomes;
  });
});

test('a request for no path is one for the root', async () => {
  const agent = new Agent({ ca: cluster.ca });
  expect(await get(cluster, agent, '*')).toBe(await get(cluster, agent, '/'));
  agent.destroy();
});

test("the cluster's own client may watch too", async () => {
  const { body } = await cluster.request('GET', `${PODS}?limit=1`);
  const { resourceVersion } = (body as { metadata: { resourceVersion: string } }).metadata;
  const query = `watch=1&timeoutSeconds=5&resourceVersion=${resourceVersion}`;
  let isOver = false;
  const answer = cluster.request('GET', `${PODS}?${query}`).finally(() => (isOver = true));
  while (!isOver) {
    cluster.clock.advance(5_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await answer).toMatchObject({ status: 200, body: '' });
});

describe('disconnect', () => {
  const pods = '/api/v1/namespaces/shop/pods?watch=1';
  let fresh: SimulatedCluster;
  let agent: Agent;
  beforeEach(async () => {
    fresh = await startSimulatedCluster();
    agent = new Agent({ ca: fresh.ca, keepAlive: true, maxSockets: 1 });
  });
  afterEach(async () => {
    agent.destroy();
    await fresh.close();
  });

  test.each([
    ['end', 'ECONNRESET'], // Node's word for an answer that is not whole
    ['reset', 'ECONNRESET'],
  ] as const)('%s: open connections go, new ones are welcome', async (how, code) => {
    using watch = await openWatch(fresh.kubeConfig, pods);
    await get(fresh, agent, '/version');
    fresh.disconnect(how);

    expect(await watch.ended).toBe(code);
    while (fresh.connections.open > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(await get(fresh, agent, '/version')).toBe(200);
    expect(fresh.connections.opened).toBe(3);
  });

  test('silence: connections stay open and nothing comes over them any more, watches and requests alike', async () => {
    using watch = await openWatch(fresh.kubeConfig, pods);
    await get(fresh, agent, '/version');
    fresh.disconnect('silence');
    await fresh.createPod('shop/web-1');
    fresh.clock.advance(7_200_000);
    const { requests } = fresh;
    const before = requests.total;
    let isAnswered = false;
    void get(fresh, agent, '/version')
      .catch(() => undefined)
      .then(() => (isAnswered = true));
    using other = await openWatch(fresh.kubeConfig, pods);
    await other.find(() => true);

    expect(fresh.connections.open).toBe(3);
    expect([watch.events, isAnswered]).toEqual([[], false]);
    // Nobody has seen the request over the dead connection.
    expect(requests.total - before).toBe(1);
  });

  test('silence in the middle of a request: it gets no answer', async () => {
    using slow = fresh.fault('version', { delayMs: 20 });
    let isAnswered = false;
    void get(fresh, agent, '/version')
      .catch(() => undefined)
      .then(() => (isAnswered = true));
    while (slow.hits === 0) await new Promise((resolve) => setImmediate(resolve));
    fresh.disconnect('silence');
    // As late as the first one would be answered, another one is.
    using other = await openWatch(fresh.kubeConfig, '/version');
    await other.ended;
    expect(slow.hits).toBe(2);
    expect(isAnswered).toBe(false);
  });

  test('restart: tokens are forgotten, and a watch that goes on is told 410', async () => {
    const pod = await fresh.createPod('shop/web-1');
    const token = await pod.token();
    const version = (await pod.get())?.metadata.resourceVersion;
    const authenticated = async (): Promise<unknown> => {
      const { body } = await fresh.request('POST', REVIEWS, { spec: { token } });
      return (body as { status: { authenticated?: boolean } }).status.authenticated;
    };
    expect(await authenticated()).toBe(true);
    await pod.delete();
    expect(await authenticated()).toBe(true);
    using open = await openWatch(fresh.kubeConfig, pods);
    fresh.restart();

    expect(await open.ended).toBe('ECONNRESET');
    expect(await authenticated()).toBeUndefined();
    for (let restarts = 0; restarts < 2; restarts += 1) {
      using resumed = await openWatch(fresh.kubeConfig, `${pods}&resourceVersion=${version}`);
      expect(await resumed.ended).toBe('end');
      expect(resumed.events).toMatchObject([{ type: 'ERROR', object: { code: 410, reason: 'Expired' } }]);
      fresh.restart();
    }
  });

  test('expireWatches: a watch that goes on is told 410, and open ones go on', async () => {
    using open = await openWatch(fresh.kubeConfig, pods);
    const pod = await fresh.createPod('shop/web-1');
    const version = Number((await pod.get())?.metadata.resourceVersion);
    await fresh.createPod('shop/web-2');
    fresh.expireWatches();
    using resumed = await openWatch(fresh.kubeConfig, `${pods}&resourceVersion=${version}`);
    expect(await resumed.ended).toBe('end');
    expect(resumed.events).toMatchObject([{ type: 'ERROR', object: { code: 410 } }]);
    await fresh.createPod('shop/web-3');
    await open.find(({ object }) => object.metadata.name === 'web-3');
  });
});

describe('what should never happen', () => {
  const names = { dnsNames: [], addresses: [Uint8Array.of(127, 0, 0, 1)] };

  test('a defect shows as an internal error', async () => {
    const certificate = await createServerCertificate(names);
    const api = {
      answer: (): never => {
        throw new Error('boom');
      },
    };
    const server = await startHttpServer({ api, certificate });
    const client = new ClusterClient({ server: server.address, ca: certificate.ca, token: '' });
    const { status, body } = await client.request('GET', '/');

    expect(status).toBe(500);
    expect(body).toMatchObject({ reason: 'InternalError', message: 'Internal error occurred: boom' });
    await client.close();
    await server.close();
  });

  test('a caller that goes away in the middle of its request is no trouble', async () => {
    const agent = new Agent({ ca: cluster.ca });
    const before = cluster.requests.tokenreviews;
    const headers = { 'content-length': 1000 };
    const sent = request(new URL(REVIEWS, cluster.server), { agent, method: 'POST', headers });
    sent.once('error', () => undefined).write('{');
    while (cluster.requests.tokenreviews === before) await new Promise((resolve) => setImmediate(resolve));
    sent.destroy();
    while (cluster.requests.pending > 0) await new Promise((resolve) => setImmediate(resolve));

    expect(await get(cluster, agent, '/version')).toBe(200);
  });
});

function get(from: SimulatedCluster, agent: Agent, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(from.server);
    const sent = request({ hostname, port, path, agent }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode));
    });
    sent.once('error', reject).end();
  });
}
