import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { bindAuthDelegator } from '../cluster/conformance/bind-auth-delegator.ts';
import type { Fault, Lift } from './fault.ts';
import { garbage, hang, reset } from './flaky-network.ts';
import { Front, type FrontCertificate } from './front.ts';
import { deadlineMs } from './stage.ts';
import { onLoopback, type Surroundings } from './surroundings.ts';

/** The age at which a credential file is read again. */
const rereadAfterMs = 10_000;

type AnswerFault = Parameters<Front['fault']>[1];

/** What becomes of the answers to TokenReviews, or to requests for the keys, between API server and service. */
function answers(
  fault: AnswerFault,
  { kind = 'tokenreviews', times }: { kind?: 'tokenreviews' | 'jwks'; times?: number } = {},
) {
  return {
    stage: { fronted: true },
    happen: ({ front }: Surroundings): Lift => front.fault(kind, fault, times),
  } as const;
}

const status = (code: number, headers: Record<string, string> = {}): ReturnType<typeof answers> =>
  answers({ status: code, headers });

const down = {
  isOutage: true,
  log: ['api_server_unreachable', 'api_server_down'],
  words: /The API server at https:\S+ cannot be reached: .+/,
} as const;
const slow = {
  isOutage: true,
  log: ['api_server_timeout', 'api_server_down'],
  words: /No answer within 3000 ms/,
  lastsMs: deadlineMs + 1_500,
} as const;
/** Whatever still waits when it ends is dropped. */
const hanging = {
  ...slow,
  log: [...slow.log, 'api_server_unreachable'],
  words: /No answer within 3000 ms|cannot be reached/,
} as const;
const overloaded = {
  isOutage: true,
  log: ['api_server_overloaded', 'api_server_down'],
  words: /The API server is in trouble: HTTP \d+/,
} as const;
const nonsense = { log: ['answer_invalid'] } as const;
const unnoticed = { newCallers: [200], log: [] } as const;

function invalidated(tokenAgeMs: number) {
  const error = '[invalid bearer token, service account token has been invalidated]';
  const body = { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', status: { user: {}, error } };
  return { ...answers({ body: JSON.stringify(body) }), newCallers: [401], log: [], tokenAgeMs } as const;
}

const faultsOfAnswers: readonly Fault[] = [
  { name: 'no answer', ...answers({ hang: true }), ...hanging },
  { name: 'answers drip, a byte every 20 ms', ...answers({ drip: { bytes: 1, everyMs: 20 } }), ...slow },
  { name: 'answers take a second longer than the deadline', ...answers({ delayMs: deadlineMs + 1_000 }), ...slow },
  { name: 'answers take half of the deadline', ...answers({ delayMs: deadlineMs / 2 }), ...unnoticed },
  { name: 'reset before the answer', ...answers({ reset: 'before' }), ...down },
  { name: 'reset in the middle of the answer', ...answers({ reset: 'mid-answer' }), ...down },
  { name: 'half an answer that ends properly', ...answers({ halfBody: true }), ...down },
  { name: 'reset before the answer, once', ...answers({ reset: 'before' }, { times: 1 }), ...unnoticed },
  { name: 'garbage for an answer', ...answers({ body: Buffer.from([0, 255, 1, 254]) }), ...nonsense },
  { name: 'HTML for an answer', ...answers({ body: '<html>OK</html>', contentType: 'text/html' }), ...nonsense },
  {
    name: 'JSON that is no TokenReview',
    ...answers({ body: '{"authenticated":true,"user":{"username":"system:serviceaccount:shop:web"}}' }),
    ...nonsense,
  },
  {
    name: 'a verdict without a username',
    ...answers({ body: '{"status":{"authenticated":true,"audiences":["orders"]}}' }),
    ...nonsense,
  },
  // The one 401 for valid callers: the API server's own word, when it cannot look up what a token is bound to.
  { name: 'the API server says "invalidated", as its etcd is gone', ...invalidated(0), longestRecoveryMs: 1_000 },
  { name: 'the same, of older tokens', ...invalidated(3_600_000), longestRecoveryMs: 10_000 },
  { name: '10 MB for an answer', ...answers({ body: Buffer.alloc(10 * 1024 * 1024, ' ') }), ...nonsense },
  { name: 'a redirect', ...answers({ redirect: 'https://127.0.0.1:1/elsewhere' }), log: ['api_server_error'] },
  { name: 'HTTP 400', ...status(400), log: ['api_server_error'] },
  { name: 'HTTP 401', ...status(401), log: ['reviewer_unauthenticated'] },
  { name: 'HTTP 403', ...status(403), log: ['reviewer_forbidden'] },
  { name: 'HTTP 404', ...status(404), log: ['api_server_error'] },
  { name: 'HTTP 409', ...status(409), log: ['api_server_error'] },
  { name: 'HTTP 429', ...status(429), ...overloaded },
  { name: 'HTTP 429, once', ...answers({ status: 429 }, { times: 1 }), ...unnoticed },
  {
    name: 'HTTP 429 with Retry-After: 1, once',
    ...answers({ status: 429, headers: { 'retry-after': '1' } }, { times: 1 }),
    ...unnoticed,
  },
  { name: 'HTTP 429 with Retry-After: 30', ...status(429, { 'retry-after': '30' }), ...overloaded },
  { name: 'HTTP 500', ...status(500), ...overloaded },
  { name: 'HTTP 502', ...status(502), ...overloaded },
  { name: 'HTTP 503', ...status(503), ...overloaded },
  { name: 'HTTP 503 with Retry-After: 30', ...status(503, { 'retry-after': '30' }), ...overloaded },
  { name: 'HTTP 504', ...status(504), ...overloaded },
];

const keysUnavailable = { fromTheStart: true, newCallers: [200], log: ['keys_unavailable'] } as const;
const keys = (fault: AnswerFault) => ({ ...answers(fault, { kind: 'jwks' }), ...keysUnavailable });

const faultsOfKeys: readonly Fault[] = [
  { name: 'the keys are refused from the start', ...keys({ status: 403 }) },
  { name: 'HTTP 503 for the keys from the start', ...keys({ status: 503 }) },
  { name: 'no keys and no answer from the start', ...keys({ hang: true }) },
  { name: 'garbage for the keys from the start', ...keys({ body: Buffer.from([0, 255, 1, 254]) }) },
  { name: 'HTML for the keys from the start', ...keys({ body: '<html></html>', contentType: 'text/html' }) },
  { name: '10 MB for the keys from the start', ...keys({ body: Buffer.alloc(10 * 1024 * 1024, ' ') }) },
];

/** Another TLS server in the API server's place, with a certificate that the service has no reason to trust. */
function otherCertificate(certificate: FrontCertificate, { trusted }: { trusted: boolean }): Fault['happen'] {
  return async ({ cluster, network, write, original }) => {
    const impostor = await Front.start(cluster.client, certificate);
    if (trusted) await write('ca.crt', impostor.ca);
    network.leadTo(impostor.port);
    return async () => {
      if (trusted) await write('ca.crt', original['ca.crt']);
      network.leadTo();
      await impostor.close();
    };
  };
}

const name = 'kubernetes.default.svc';

const faultsOfTheNetwork: readonly Fault[] = [
  {
    name: 'connections are refused',
    happen: async ({ network }) => {
      await network.stop();
      return () => network.start();
    },
    ...down,
  },
  {
    name: 'all connections are dropped, once',
    happen: ({ network }) => {
      network.drop();
      return () => {};
    },
    ...unnoticed,
  },
  {
    name: 'connections are reset at once',
    happen: ({ network }) => {
      network.become(reset);
      return () => network.leadTo();
    },
    ...down,
  },
  {
    name: 'connections are taken, and nothing more',
    happen: ({ network }) => {
      network.become(hang);
      return () => network.leadTo();
    },
    ...hanging,
  },
  {
    name: 'nothing answers from the start',
    fromTheStart: true,
    happen: ({ network }) => {
      network.become(hang);
      return () => network.leadTo();
    },
    forged: 503,
    ...hanging,
    log: [...hanging.log, 'keys_unavailable'],
  },
  {
    name: 'open connections fall silent, new ones work',
    happen: ({ network }) => {
      network.silence();
      return () => {};
    },
    newCallers: [200, 503],
    log: ['api_server_timeout'],
    lastsMs: deadlineMs + 1_500,
  },
  {
    name: 'something else than TLS answers',
    happen: ({ network }) => {
      network.become(garbage);
      return () => network.leadTo();
    },
    ...down,
  },
  { name: 'a certificate of another authority', happen: otherCertificate({}, { trusted: false }), ...down },
  {
    name: 'a certificate that has expired',
    happen: otherCertificate({ validUntil: new Date(Date.now() - 60_000) }, { trusted: true }),
    ...down,
    words: /certificate/,
  },
  {
    name: 'a certificate for another host',
    happen: otherCertificate({ addresses: [Uint8Array.of(127, 0, 0, 2)] }, { trusted: true }),
    ...down,
    words: /certificate/,
  },
  {
    name: "the API server's name is no longer known",
    stage: { host: name },
    happen: ({ network, resolveBy }) => {
      resolveBy((host, _options, callback) => {
        callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' }), '', 0);
      });
      network.drop();
      return () => resolveBy(onLoopback);
    },
    ...down,
  },
];

/** The file is read again at once where it fails; otherwise its age is what makes it read. */
function fileIs(file: 'token' | 'ca.crt', content: string | undefined): Fault['happen'] {
  return async ({ clock, write, original }) => {
    await write(file, content);
    clock.advance(rereadAfterMs);
    return async () => {
      await write(file, original[file]);
      clock.advance(rereadAfterMs);
    };
  };
}

const unreadable = {
  fromTheStart: true,
  forged: 503,
  log: ['credential_unreadable'],
  words: /(token|ca\.crt): .+automountServiceAccountToken/,
} as const;
const stale = { newCallers: [200], log: ['credential_stale'] } as const;
const unauthenticated = {
  log: ['reviewer_unauthenticated'],
  words: /does not accept our own credential.*kubectl/,
} as const;

const faultsOfTheCredential: readonly Fault[] = [
  { name: 'the token is missing from the start', happen: fileIs('token', undefined), ...unreadable },
  { name: 'the token is empty from the start', happen: fileIs('token', ''), ...unreadable },
  { name: 'the CA is missing from the start', happen: fileIs('ca.crt', undefined), ...unreadable },
  { name: 'the CA is empty from the start', happen: fileIs('ca.crt', '\n'), ...unreadable },
  { name: 'the token goes missing', happen: fileIs('token', undefined), ...stale },
  { name: 'the token is emptied', happen: fileIs('token', '\n'), ...stale },
  { name: 'the CA goes missing', happen: fileIs('ca.crt', undefined), ...stale },
  { name: 'the CA is emptied', happen: fileIs('ca.crt', ''), ...stale },
  { name: 'the CA is garbage', happen: fileIs('ca.crt', 'garbage'), ...down, words: /ca\.crt/ },
  { name: 'the token is refused', happen: fileIs('token', 'garbage'), ...unauthenticated },
  {
    name: 'the token is rotated, the old one is good for a while',
    happen: async ({ write, credential }) => {
      await write('token', await credential());
      return () => {};
    },
    ...unnoticed,
  },
  {
    name: 'the token is rotated, and the old one refused at once',
    stage: { fronted: true },
    happen: async ({ write, credential, front, original }) => {
      await write('token', await credential());
      front.refuse(original.token);
      return () => front.refuse(undefined);
    },
    ...unnoticed,
  },
  {
    name: 'certificate and CA are rotated',
    happen: async ({ cluster, write, network, original }) => {
      const next = await Front.start(cluster.client);
      await write('ca.crt', next.ca);
      network.leadTo(next.port);
      return async () => {
        await write('ca.crt', original['ca.crt']);
        network.leadTo();
        await next.close();
      };
    },
    ...unnoticed,
  },
  {
    name: 'the right to review is withdrawn',
    happen: async (surroundings) => {
      const { cluster, serviceAccount } = surroundings;
      await withdrawRights(surroundings);
      return () => bindAuthDelegator(cluster.client, serviceAccount);
    },
    log: ['reviewer_forbidden'],
    words:
      /kubectl create clusterrolebinding \S+ --clusterrole=system:auth-delegator --serviceaccount=orders-\w+:reviewer/,
  },
];

const bindings = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
const bindingList = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      subjects: z.array(z.object({ name: z.string(), namespace: z.string().optional() })).optional(),
    }),
  ),
});

/** Resolves when they are gone. */
async function withdrawRights({ cluster, serviceAccount, original }: Surroundings): Promise<void> {
  const { client } = cluster;
  const { items } = bindingList.parse((await client.request('GET', bindings)).body);
  const own = items.filter(({ subjects = [] }) =>
    subjects.some(({ namespace, name: subject }) => `${namespace}/${subject}` === serviceAccount),
  );
  for (const { metadata } of own) await client.request('DELETE', `${bindings}/${metadata.name}`);
  const path = '/apis/authentication.k8s.io/v1/tokenreviews';
  const mayReview = async (): Promise<boolean> =>
    (await client.request('POST', path, { spec: { token: 'x' } }, { token: original.token })).status === 201;
  while (await mayReview()) await sleep(20);
}

/** Those that can be made to happen between any API server and the service. */
export const faults: readonly Fault[] = [
  ...faultsOfAnswers,
  ...faultsOfKeys,
  ...faultsOfTheNetwork,
  ...faultsOfTheCredential,
];
