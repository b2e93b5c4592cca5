import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import express from 'express';
import request from 'supertest';
import {
  type AuthenticatorLike,
  type BoundPodOptions,
  type CallingPod,
  k8sServiceAccountAuth,
  requireBoundPod,
  ServiceAccountAuthError,
  type ServiceAccountIdentity,
} from '../../src/index.ts';
import { requestContext } from '../../src/express/request-context.ts';
import { fakeAuthenticator, fakeIdentity } from '../../src/testing/index.ts';
import { answerWithError } from './support/guarded-app.ts';

const secretBound: ServiceAccountIdentity = {
  ...fakeIdentity('shop/web'),
  boundTo: { kind: 'Secret', name: 'web-token' },
};

test.each<[string, boolean, ServiceAccountIdentity]>([
  ['a Pod-bound token', true, fakeIdentity('shop/web', { pod: 'web-1' })],
  ['a Node-bound token', false, fakeIdentity('shop/web', { node: 'node-a' })],
  ['a Secret-bound token', false, secretBound],
  ['a token bound to its ServiceAccount alone', false, fakeIdentity('shop/web')],
])('%s: allowed is %j', (_name, allowed, identity) => {
  expect(requireBoundPod().check(identity)).toBe(allowed);
});

describe('conditions on the identity', () => {
  const web = fakeIdentity('shop/web', { pod: 'web-1', node: 'node-a' });
  test.each<[BoundPodOptions, boolean]>([
    [{ name: 'web-1' }, true],
    [{ name: ['web-0', 'web-1'] }, true],
    [{ name: 'web-2' }, false],
    [{ namespace: 'shop' }, true],
    [{ namespace: 'attic' }, false],
    [{ serviceAccount: 'shop/web' }, true],
    [{ serviceAccount: 'attic/web' }, false],
    [{ node: 'node-a' }, true],
    [{ node: 'node-b' }, false],
    [{ name: 'web-1', namespace: 'shop', serviceAccount: 'shop/web', node: 'node-a' }, true],
    [{ name: 'web-1', namespace: 'attic' }, false],
  ])('%j: allowed is %j, and needs no look at the Pod', (conditions, allowed) => {
    expect(requireBoundPod(conditions).check(web)).toBe(allowed);
  });

  test('refuse a token that is not bound to a Pod, whatever it says', () => {
    expect(requireBoundPod({ namespace: 'shop' }).check(secretBound)).toBe(false);
    expect(requireBoundPod({ node: 'node-a' }).check(fakeIdentity('shop/web', { node: 'node-a' }))).toBe(false);
  });
});

describe('made wrongly it throws where it is made:', () => {
  test.each<[unknown, string]>([
    [undefined, 'expected at least one condition, got none'],
    [{}, 'expected at least one condition, got none'],
    ['web-1', 'the options are wrong'],
    [{ pod: 'web-1' }, 'there is no option "pod"'],
    [{ label: {} }, 'there is no option "label". Did you mean "labels"?'],
    [{ name: undefined }, 'the option "name" is undefined'],
    [{ name: '' }, 'expected a Pod, got an empty string'],
    [{ name: [] }, 'expected at least one Pod, got none'],
    [{ namespace: [''] }, 'expected a namespace, got an empty string'],
    [{ serviceAccount: 'web' }, '"web" is not of the form "namespace/name"'],
    [{ labels: {} }, 'the option "labels" is wrong: it is empty'],
    [{ labels: '' }, 'the option "labels" is wrong: it is empty'],
    [{ labels: ' ' }, 'the option "labels" is wrong: it is empty'],
    [
      { labels: 'app in web' },
      "the option \"labels\" is wrong: unable to parse requirement: found 'web' expected: '('",
    ],
    [{ labels: ['app'] }, 'the option "labels" is wrong: expected a selector, or an object of labels'],
    [{ labels: null }, 'the option "labels" is wrong'],
    [{ labels: { app: undefined } }, 'app is undefined. Is an environment variable missing?'],
    [{ labels: { 'a b': 'web' } }, 'a b=web: name part must consist of'],
    [{ labels: { app: 'w b' } }, 'app=w b: a valid label must be'],
    [{ podIp: true }, 'expected "peer", or { proxies, header? }'],
    [{ podIp: {} }, 'the option "podIp'],
    [{ podIp: { proxies: [] } }, 'expected at least one proxy, got none'],
    [{ podIp: { proxies: ['x'] } }, 'the proxy "x" is no IP address'],
    [{ podIp: { proxies: ['10.0.0.1'], header: '' } }, 'the option "podIp'],
  ])('%j', (conditions, message) => {
    expect(() => requireBoundPod(conditions as BoundPodOptions)).toThrow(TypeError);
    expect(() => requireBoundPod(conditions as BoundPodOptions)).toThrow(message);
  });

  test('passed itself as a middleware', () => {
    expect(() => (requireBoundPod as (...args: unknown[]) => unknown)({}, {}, () => {})).toThrow(
      'requireBoundPod makes the guard: use requireBoundPod() on the route',
    );
  });
});

interface Service {
  readonly statusFrom: (localAddress: string, headers?: Record<string, string>) => Promise<number | undefined>;
  readonly looks: () => number;
}

/** Calls from different loopback addresses are calls from different Pods. */
async function service(
  conditions: BoundPodOptions,
  callingPod: () => Partial<CallingPod> | undefined,
  host = '127.0.0.1',
): Promise<Service & AsyncDisposable> {
  let looks = 0;
  const authenticator = fakeAuthenticator(
    { good: fakeIdentity('shop/web', { pod: 'web-1' }) },
    {
      callingPod: () => {
        looks += 1;
        return callingPod();
      },
    },
  );
  const app = express().set('env', 'test').use(k8sServiceAccountAuth({ authenticator }));
  app.get('/', requireBoundPod(conditions), (_req, res) => {
    res.end();
  });
  const server = createServer(app).listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    statusFrom: async (localAddress, headers = {}) => {
      const sent = get({
        host: '127.0.0.1',
        port,
        localAddress,
        headers: { authorization: 'Bearer good', ...headers },
      });
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      response.resume();
      return response.statusCode;
    },
    looks: () => looks,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

describe('labels', () => {
  test.each<[BoundPodOptions['labels'], number]>([
    [{ app: 'web' }, 200],
    [{ app: 'web', tier: 'front' }, 200],
    [{ app: 'web', tier: 'back' }, 403],
    [{ other: 'x' }, 403],
    ['app in (web, api),!canary', 200],
    ['app,canary', 403],
    [{ toString: 'x' }, 403],
    ['!constructor', 200],
  ])('%j are %d', async (labels, status) => {
    await using web = await service({ labels: labels ?? '' }, () => ({ labels: { app: 'web', tier: 'front' } }));
    expect(await web.statusFrom('127.0.0.1')).toBe(status);
  });

  test("of a Pod that is gone are nobody's", async () => {
    await using web = await service({ labels: '!app' }, () => undefined);
    expect(await web.statusFrom('127.0.0.1')).toBe(403);
  });

  test('are not looked at where the identity is refused already', async () => {
    await using web = await service({ labels: 'app', namespace: 'attic' }, () => ({ labels: { app: 'web' } }));
    expect([await web.statusFrom('127.0.0.1'), web.looks()]).toEqual([403, 0]);
  });
});

describe("podIp: 'peer'", () => {
  test('lets the Pod through from its own address only, however its token got elsewhere', async () => {
    await using web = await service({ podIp: 'peer' }, () => ({ ips: ['127.0.0.2', 'fd00::2'] }));
    expect(await web.statusFrom('127.0.0.2')).toBe(200);
    expect(await web.statusFrom('127.0.0.3')).toBe(403);
    expect(await web.statusFrom('127.0.0.3', { 'x-forwarded-for': '127.0.0.2' })).toBe(403);
  });

  test('knows IPv4 on a dual-stack socket', async () => {
    await using web = await service({ podIp: 'peer' }, () => ({ ips: ['127.0.0.2'] }), '::');
    expect(await web.statusFrom('127.0.0.2')).toBe(200);
    expect(await web.statusFrom('127.0.0.3')).toBe(403);
  });

  test('takes a fresh look where the address does not fit, and one look where it does', async () => {
    const ips = [['127.0.0.2'], ['127.0.0.2'], ['127.0.0.9']];
    await using web = await service({ podIp: 'peer' }, () => ({ ips: ips.shift() ?? [] }));
    expect([await web.statusFrom('127.0.0.2'), web.looks()]).toEqual([200, 1]);
    expect([await web.statusFrom('127.0.0.9'), web.looks()]).toEqual([200, 3]);
  });

  test('takes what is remembered of the Pod where that fits, and never for the fresh look', async () => {
    const asked: boolean[] = [];
    const authenticator = {
      authenticate: async (): Promise<ServiceAccountIdentity> => fakeIdentity('shop/web', { pod: 'web-1' }),
      podOf: async (_identity: ServiceAccountIdentity, anew: boolean): Promise<CallingPod> => {
        asked.push(anew);
        return { ips: ['127.0.0.2'], labels: {}, hostNetwork: false };
      },
    };
    const app = express().set('env', 'test').use(k8sServiceAccountAuth({ authenticator }));
    app.get('/', requireBoundPod({ podIp: 'peer' }), (_req, res) => {
      res.end();
    });

    expect((await request(app).get('/').set('Authorization', 'Bearer good')).status).toBe(403);
    expect(asked).toEqual([false, true]);
  });

  test('looks at labels anew too where it looks at the address anew', async () => {
    const pods = [
      { ips: [], labels: { app: 'web' } },
      { ips: ['127.0.0.2'], labels: {} },
    ];
    await using web = await service({ podIp: 'peer', labels: 'app' }, () => pods.shift());
    expect(await web.statusFrom('127.0.0.2')).toBe(403);
  });

  test("refuses a Pod in its Node's network, whose address others have too", async () => {
    await using web = await service({ podIp: 'peer' }, () => ({ ips: ['127.0.0.2'], hostNetwork: true }));
    expect(await web.statusFrom('127.0.0.2')).toBe(403);
  });

  test('refuses a Pod without an address, and one that is gone', async () => {
    await using pending = await service({ podIp: 'peer' }, () => ({ ips: [] }));
    await using gone = await service({ podIp: 'peer' }, () => undefined);
    expect(await pending.statusFrom('127.0.0.2')).toBe(403);
    expect(await gone.statusFrom('127.0.0.2')).toBe(403);
  });

  test('takes the word of named proxies, and of nobody else', async () => {
    const podIp = { proxies: ['127.0.0.8'] };
    await using web = await service({ podIp }, () => ({ ips: ['127.0.0.2'] }));
    const headers = { 'x-forwarded-for': '127.0.0.2' };
    expect(await web.statusFrom('127.0.0.8', headers)).toBe(200);
    expect(await web.statusFrom('127.0.0.8', { 'x-forwarded-for': '127.0.0.2, 127.0.0.3' })).toBe(403);
    expect(await web.statusFrom('127.0.0.8')).toBe(403);
    expect(await web.statusFrom('127.0.0.3', headers)).toBe(403);
    expect(await web.statusFrom('127.0.0.2')).toBe(200);
  });

  test('reads the header that they write', async () => {
    const podIp = { proxies: ['127.0.0.8'], header: 'X-Real-IP' };
    await using web = await service({ podIp }, () => ({ ips: ['127.0.0.2'] }));
    expect(await web.statusFrom('127.0.0.8', { 'x-real-ip': '127.0.0.2' })).toBe(200);
    expect(await web.statusFrom('127.0.0.8', { 'x-forwarded-for': '127.0.0.2' })).toBe(403);
  });
});

describe('where the Pod cannot be looked at', () => {
  const statusWith = async (authenticator: AuthenticatorLike): Promise<[number, unknown]> => {
    const app = express().set('env', 'test').use(k8sServiceAccountAuth({ authenticator }));
    app.get('/', requireBoundPod({ labels: 'app' }), (_req, res) => {
      res.end();
    });
    app.use(answerWithError);
    const { status, body } = await request(app).get('/').set('Authorization', 'Bearer good');
    return [status, (body as { message?: unknown }).message];
  };
  const authenticate = async (): Promise<ServiceAccountIdentity> => fakeIdentity('shop/web', { pod: 'web-1' });

  test('it is 503', async () => {
    const callingPod = (): Promise<never> => Promise.reject(new ServiceAccountAuthError('reviewer_forbidden'));
    expect((await statusWith({ authenticate, callingPod }))[0]).toBe(503);
  });

  test('because the authenticator cannot, it is a 500 that says so', async () => {
    expect(await statusWith({ authenticate })).toEqual([
      500,
      'The authenticator of k8sServiceAccountAuth() has no callingPod(), which requireBoundPod asks',
    ]);
  });

  test('check() alone needs a request that the middleware has seen', async () => {
    const identity = await authenticate();
    for (const req of [undefined, {}, { [requestContext]: {} }]) {
      const check = (): unknown => requireBoundPod({ labels: 'app' }).check(identity, req as never);
      expect(check).toThrow(/^requireBoundPod: check\(\) needs a request/);
    }
  });
});

test('its description says what it asks', () => {
  expect(requireBoundPod().description).toBe('a Pod-bound token');
  expect(requireBoundPod({ labels: { app: 'web', tier: 'front' }, namespace: 'shop', podIp: 'peer' }).description).toBe(
    "a Pod-bound token, namespace shop, labels app=web,tier=front, from the Pod's own address",
  );
  expect(requireBoundPod({ labels: 'app in (web, api)' }).description).toBe(
    'a Pod-bound token, labels app in (web, api)',
  );
});
