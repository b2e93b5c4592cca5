import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Unavailability } from '../../src/authentication/reviewer.ts';
import { apiServerReview } from '../../src/kubernetes/api-server-review.ts';
import { ApiServer } from '../../src/kubernetes/api-server.ts';
import { BoundedReviewer } from '../../src/kubernetes/bounded-reviewer.ts';
import { kubeConfigConnection } from '../../src/kubernetes/kube-config-connection.ts';
import { createServerCertificate } from '../../src/testing/simulated-cluster/certificate.ts';
import { type SimulatedCluster, startSimulatedCluster } from '../../src/testing/simulated-cluster/simulated-cluster.ts';
import { caught } from '../support/caught.ts';

const reviews = '/apis/authentication.k8s.io/v1/tokenreviews';
const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'secret' } });
const never = new AbortController().signal;

let cluster: SimulatedCluster;
beforeAll(async () => {
  cluster = await startSimulatedCluster();
});
afterAll(() => cluster.close());

const open: ApiServer[] = [];
function apiServer(maxConnections = 4): ApiServer {
  const made = new ApiServer(async () => kubeConfigConnection(cluster.kubeConfig, () => {}), maxConnections);
  open.push(made);
  return made;
}
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

test('posts with our credential over TLS, and brings back status, headers and body', async () => {
  const answer = await apiServer().post(reviews, body, never);
  expect(answer.status).toBe(201);
  expect(answer.headers['content-type']).toBe('application/json');
  expect(JSON.parse(answer.body)).toMatchObject({ kind: 'TokenReview', status: { error: expect.any(String) } });
});

describe('connections', () => {
  test('are reused from call to call', async () => {
    const api = apiServer();
    const before = cluster.connections.opened;
    for (let index = 0; index < 20; index += 1) await api.post(reviews, body, never);
    expect(cluster.connections.opened - before).toBe(1);
  });

  test('are never more than allowed, however many calls there are at once', async () => {
    const api = apiServer(3);
    const before = cluster.connections.opened;
    const answers = await Promise.all(Array.from({ length: 100 }, () => api.post(reviews, body, never)));
    expect(answers.every(({ status }) => status === 201)).toBe(true);
    expect(cluster.connections.opened - before).toBe(3);
  });

  test('are opened anew after one was reset', async () => {
    const api = apiServer();
    using reset = cluster.fault('tokenreviews', { reset: 'before' }, { times: 1 });
    expect(await caught(api.post(reviews, body, never))).toMatchObject({ code: 'api_server_unreachable' });
    expect(reset.hits).toBe(1);
    expect((await api.post(reviews, body, never)).status).toBe(201);
  });

  test('are opened no more after close(), whatever was in flight', async () => {
    const api = apiServer();
    using hang = cluster.fault('tokenreviews', { hang: true });
    const waiting = caught(api.post(reviews, body, never));
    while (hang.hits === 0) await new Promise((resolve) => setImmediate(resolve));
    const { opened } = cluster.connections;
    api.close();
    expect(await waiting).toMatchObject({ code: 'api_server_unreachable' });
    expect(await caught(api.post(reviews, body, never))).toMatchObject({ code: 'authenticator_closed' });
    expect(cluster.connections.opened).toBe(opened);
  });

  test('all end with close()', async () => {
    const api = apiServer();
    await api.post(reviews, body, never);
    const before = cluster.connections.open;
    api.close();
    while (cluster.connections.open >= before) await new Promise((resolve) => setImmediate(resolve));
    expect(cluster.connections.open).toBe(before - 1);
  });
});

test('follows no redirect: the answer is the redirect itself', async () => {
  using redirect = cluster.fault('tokenreviews', { redirect: `${cluster.server}/stolen` });
  const before = cluster.requests.total;
  expect((await apiServer().post(reviews, body, never)).status).toBe(307);
  expect([cluster.requests.total - before, redirect.hits]).toEqual([1, 1]);
});

test('an answer of 10 MB is cut off, and its connection with it', async () => {
  using _ = cluster.fault('tokenreviews', { body: Buffer.alloc(10 * 1024 * 1024, 'x') });
  const error = await caught(apiServer().post(reviews, body, never));
  expect(error).toMatchObject({ code: 'answer_invalid', message: expect.stringContaining('1048576 bytes') });
});

test('an answer of 1 MB is read to its end', async () => {
  using _ = cluster.fault('tokenreviews', { body: Buffer.alloc(1024 * 1024, 'x') });
  expect((await apiServer().post(reviews, body, never)).body).toHaveLength(1024 * 1024);
});

test('characters of several bytes survive being cut into chunks', async () => {
  using _ = cluster.fault('tokenreviews', { body: '€'.repeat(100_000) });
  expect((await apiServer().post(reviews, body, never)).body).toBe('€'.repeat(100_000));
});

test.each([
  ['half an answer that ends properly', { halfBody: true }],
  ['half an answer and a reset', { reset: 'mid-answer' }],
  ['a reset before any answer', { reset: 'before' }],
] as const)('%s is api_server_unreachable', async (_, fault) => {
  using active = cluster.fault('tokenreviews', fault);
  const error = await caught(apiServer().post(reviews, body, never));
  expect(error).toBeInstanceOf(Unavailability);
  expect(error).toMatchObject({ code: 'api_server_unreachable', message: expect.stringContaining(cluster.server) });
  expect(active.hits).toBe(1);
});

describe('the signal', () => {
  test('ends a call that hangs, and its connection', async () => {
    using hang = cluster.fault('tokenreviews', { hang: true });
    const abort = new AbortController();
    const failed = caught(apiServer().post(reviews, body, abort.signal));
    while (hang.hits === 0) await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    expect(await failed).toMatchObject({ code: 'api_server_unreachable' });
  });

  test('ends a call whose answer drips', async () => {
    using drip = cluster.fault('tokenreviews', { drip: { bytes: 1, everyMs: 20 } });
    const abort = new AbortController();
    const failed = caught(apiServer().post(reviews, body, abort.signal));
    while (drip.hits === 0) await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    expect(await failed).toMatchObject({ code: 'api_server_unreachable' });
  });

  test('aborted while the credential is being had, nothing is sent', async () => {
    const abort = new AbortController();
    const { promise: credential, resolve } = Promise.withResolvers<string>();
    const connection = kubeConfigConnection(
      cluster.kubeConfigOf(() => credential),
      () => {},
    );
    const api = new ApiServer(async () => connection, 1);
    const before = cluster.requests.total;
    const failed = caught(api.post(reviews, body, abort.signal));
    abort.abort('too late');
    resolve('token');
    expect(await failed).toBe('too late');
    expect(cluster.requests.total).toBe(before);
  });
});

const failing = (server: string, ca?: string): ApiServer =>
  new ApiServer(async () => ({ server: new URL(server), requestOptions: async () => (ca ? { ca } : {}) }), 1);

describe('cannot be reached, and says where and why:', () => {
  test('nobody listens', async () => {
    const error = await caught(failing('https://127.0.0.1:1').post(reviews, body, never));
    expect(error).toMatchObject({
      code: 'api_server_unreachable',
      message: expect.stringMatching(/^The API server at https:\/\/127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED/),
    });
  });

  test('the certificate is of an authority that we do not know', async () => {
    const error = await caught(failing(cluster.server).post(reviews, body, never));
    expect(error).toMatchObject({
      code: 'api_server_unreachable',
      message: expect.stringMatching(/certificate.*ca\.crt.*kubectl get configmap kube-root-ca\.crt/),
    });
  });

  test('the CA is no certificate', async () => {
    const error = await caught(failing(cluster.server, 'nonsense\n').post(reviews, body, never));
    expect(error).toMatchObject({
      code: 'api_server_unreachable',
      message: expect.stringMatching(/certificate.*ca\.crt/),
    });
  });

  test('the credential cannot stand in a header, and it is not quoted', async () => {
    const api = new ApiServer(
      async () => ({
        server: new URL(cluster.server),
        requestOptions: async () => ({ ca: cluster.ca, headers: { authorization: 'Bearer our\nsecret' } }),
      }),
      1,
    );
    const error = await caught(api.post(reviews, body, never));
    expect(error).toBeInstanceOf(Unavailability);
    expect(String(error)).not.toContain('secret');
  });
});

test('tells when the credential was last read, once a connection has been found that knows', async () => {
  const connection = { server: new URL(cluster.server), requestOptions: async () => ({ ca: cluster.ca }) };
  const api = new ApiServer(async () => ({ ...connection, credentialReadAt: () => 7 }), 1);
  const other = new ApiServer(async () => connection, 1);
  open.push(api, other);
  expect(api.credentialReadAt).toBeUndefined();
  await Promise.all([api, other].map((one) => one.post(reviews, body, never)));
  expect([api.credentialReadAt, other.credentialReadAt]).toEqual([7, undefined]);
});

describe('a 401 about us', () => {
  interface Renewable {
    readonly api: ApiServer;
    readonly renewed: () => number;
    credential: () => string;
  }

  function renewable(): Renewable {
    let renewed = 0;
    const made: Renewable = {
      api: new ApiServer(
        async () => ({
          server: new URL(cluster.server),
          requestOptions: async () => ({
            ca: cluster.ca,
            headers: { authorization: `Bearer ${made.credential()}` },
          }),
          renew: () => {
            renewed += 1;
          },
        }),
        4,
      ),
      renewed: () => renewed,
      credential: () => 'unknown',
    };
    open.push(made.api);
    return made;
  }

  const postings = async (call: () => Promise<unknown>): Promise<number> => {
    const before = cluster.requests.tokenreviews;
    await call();
    return cluster.requests.tokenreviews - before;
  };

  test('has the credential looked for anew, and the call is sent once more with the new one', async () => {
    const admin = cluster.createUser('renewed', { groups: ['system:masters'] });
    const made = renewable();
    made.credential = () => (made.renewed() === 0 ? 'rotated-away' : admin);
    expect(await postings(async () => expect((await made.api.post(reviews, body, never)).status).toBe(201))).toBe(2);
    expect(made.renewed()).toBe(1);
    expect(await postings(async () => expect((await made.api.post(reviews, body, never)).status).toBe(201))).toBe(1);
  });

  test('is the answer, and nothing is sent again, where the credential is the same still', async () => {
    const made = renewable();
    expect(await postings(async () => expect((await made.api.post(reviews, body, never)).status).toBe(401))).toBe(1);
    expect(made.renewed()).toBe(1);
  });

  test('that a new credential gets too is the answer: it is not sent a third time', async () => {
    const made = renewable();
    made.credential = () => `unknown-${made.renewed()}`;
    expect(await postings(async () => expect((await made.api.post(reviews, body, never)).status).toBe(401))).toBe(2);
    expect(made.renewed()).toBe(1);
  });

  test('is the answer where the connection knows of no other credential', async () => {
    const connection = kubeConfigConnection(cluster.kubeConfigOf('unknown'), () => {});
    const api = new ApiServer(async () => connection, 1);
    open.push(api);
    expect(await postings(async () => expect((await api.post(reviews, body, never)).status).toBe(401))).toBe(1);
  });

  test('is unavailability where there is no credential to be had any more', async () => {
    const made = renewable();
    made.credential = () => {
      if (made.renewed() > 0) throw new Unavailability('credential_unreadable', 'gone');
      return 'unknown';
    };
    expect(await caught(made.api.post(reviews, body, never))).toMatchObject({ code: 'credential_unreadable' });
  });

  test('is not asked about again once the signal aborted', async () => {
    const made = renewable();
    const abort = new AbortController();
    made.credential = () => {
      if (made.renewed() > 0) abort.abort('too late');
      return `unknown-${made.renewed()}`;
    };
    expect(
      await postings(async () => expect(await caught(made.api.post(reviews, body, abort.signal))).toBe('too late')),
    ).toBe(1);
  });

  test.each([403, 429, 500, 503])('and %d is none: the credential stays', async (status) => {
    using _ = cluster.fault('tokenreviews', { status });
    const made = renewable();
    expect((await made.api.post(reviews, body, never)).status).toBe(status);
    expect(made.renewed()).toBe(0);
  });
});

test('trouble with the connection has the CA looked for anew: the next call succeeds where it was rotated', async () => {
  let ca = (await createServerCertificate({ dnsNames: ['localhost'], addresses: [] })).ca;
  const api = new ApiServer(
    async () => ({
      server: new URL(cluster.server),
      requestOptions: async () => ({ ca }),
      renew: () => {
        ({ ca } = cluster);
      },
    }),
    1,
  );
  open.push(api);
  expect(await caught(api.post(reviews, body, never))).toMatchObject({
    code: 'api_server_unreachable',
    message: expect.stringContaining('certificate'),
  });
  expect((await api.post(reviews, body, never)).status).toBe(403);
});

test('gets with the media type that is asked for, and without a body', async () => {
  const { status, headers, body: keys } = await apiServer().get('/openid/v1/jwks', 'application/jwk-set+json', never);
  expect([status, headers['content-type']]).toEqual([200, 'application/jwk-set+json']);
  expect(JSON.parse(keys)).toEqual({ keys: [expect.objectContaining({ kid: cluster.signingKey.keyId })] });
});

test('a configuration that could not be loaded is looked for again, and one that could is not', async () => {
  let loads = 0;
  const api = new ApiServer(async () => {
    loads += 1;
    if (loads === 1) throw new Unavailability('configuration_invalid', 'no file yet');
    return kubeConfigConnection(cluster.kubeConfig, () => {});
  }, 1);
  open.push(api);
  expect(await caught(api.post(reviews, body, never))).toMatchObject({ code: 'configuration_invalid' });
  await api.post(reviews, body, never);
  await api.post(reviews, body, never);
  expect(loads).toBe(2);
});

test.each([
  ['', reviews],
  ['/', reviews],
  ['/k8s/clusters/c-1', `/k8s/clusters/c-1${reviews}`],
  ['/k8s/clusters/c-1/', `/k8s/clusters/c-1${reviews}`],
])('calls a server whose URL ends in "%s" below that path, with its own headers', async (path, called) => {
  const { key, certificate, ca } = await createServerCertificate({
    dnsNames: ['localhost'],
    addresses: [Uint8Array.of(127, 0, 0, 1)],
  });
  const seen: unknown[] = [];
  const server = createServer({ key, cert: certificate }, ({ method, url, headers }, response) => {
    seen.push({ method, url, headers });
    response.end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const api = new ApiServer(
    async () => ({
      server: new URL(`https://127.0.0.1:${port}${path}`),
      requestOptions: async () => ({ ca, headers: { authorization: 'Bearer ours', accept: 'text/html' } }),
    }),
    1,
  );
  try {
    await api.post(reviews, body, never);
  } finally {
    api.close();
    server.close();
  }
  expect(seen).toEqual([
    {
      method: 'POST',
      url: called,
      headers: expect.objectContaining({
        authorization: 'Bearer ours',
        accept: 'application/json',
        'content-type': 'application/json',
        'content-length': String(body.length),
      }),
    },
  ]);
});

test('1,000 reviews at once open no more connections than reviews may run', async () => {
  const api = apiServer(8);
  const limits = { timeoutMs: 30_000, maxConcurrent: 8, maxQueued: 1_000 };
  const reviewer = new BoundedReviewer(apiServerReview(api), [], limits, () => api.close());
  const before = cluster.connections.opened;
  const all = await Promise.all(Array.from({ length: 1_000 }, (_, index) => reviewer.review(`no-token-${index}`)));
  expect(all.every(({ authenticated }) => !authenticated)).toBe(true);
  expect(cluster.connections.opened - before).toBe(8);
}, 30_000);
