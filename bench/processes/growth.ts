// Fills a cache, and compares it with a plain Map.
import { createHash, hash, randomBytes } from 'node:crypto';
import { type Authenticator, createAuthenticator, type TokenReviewRequest } from 'k8s-service-account-auth';
import { audience } from '../bench.ts';
import { answerParent } from '../child.ts';
import { longest, mustBeAtRest } from './at-rest.ts';
import { reviewed } from './quick-api-server.ts';
import { nanosecondsPerCall } from './turn.ts';

const encoded = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url');
const header = encoded({ alg: 'RS256', kid: randomBytes(32).toString('base64url') });
const now = Math.floor(Date.now() / 1000);

const uuid = (seed: string): string =>
  hash('sha256', seed).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');

/** Of a cluster of many Pods: each with a name and a uid of its own, on some Nodes, of some ServiceAccounts. */
function tokenOf(index: number): string {
  const account = `account-${index % 100}`;
  const node = `node-${index % 500}`;
  const namespace = `namespace-${index % 20}`;
  const claims = {
    aud: [audience],
    exp: now + 3_600 + (index % 600),
    iat: now - (index % 600),
    iss: 'https://kubernetes.default.svc.cluster.local',
    jti: uuid(`credential-${index}`),
    'kubernetes.io': {
      namespace,
      node: { name: node, uid: uuid(node) },
      pod: { name: `${account}-6d4b75cb6d-${index}`, uid: uuid(`pod-${index}`) },
      serviceaccount: { name: account, uid: uuid(`${namespace}/${account}`) },
      warnafter: now + 3_607,
    },
    nbf: now - (index % 600),
    sub: `system:serviceaccount:${namespace}:${account}`,
  };
  const signature = createHash('shake256', { outputLength: 256 }).update(String(index)).digest('base64url');
  return `${header}.${encoded(claims)}.${signature}`;
}

let authenticator: Authenticator;
const keyPrefix = randomBytes(32).toString('base64');
const keyOf = (token: string): string => hash('sha256', keyPrefix + token, 'base64');
const map = new Map<string, object>();
let sample: string[] = [];
let filled = 0;

const calls = {
  cached: (token: string): void => {
    if (authenticator.cached(token) === undefined) throw new Error('A token was not in the cache');
  },
  map: (token: string): void => {
    if (map.get(keyOf(token)) === undefined) throw new Error('A token was not in the Map');
  },
};

/** Once all that can be collected is. */
function bytesInUse(): number {
  for (let times = 0; times < 3; times++) global.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const answers = {
  /** A new cache. */
  open: (maxEntries: number): void => {
    filled = 0;
    authenticator = createAuthenticator({
      audiences: audience,
      // As over a connection: what comes back is parsed from text of its own.
      reviewer: async (review: TokenReviewRequest) => JSON.parse(reviewed(review)) as unknown,
      cache: { ...longest, maxEntries },
    });
  },
  /** The bytes in use. */
  bytesInUse,
  /** Adds tokens until the cache holds that many. */
  fill: async (count: number): Promise<void> => {
    for (; filled < count; filled++) await authenticator.authenticate(tokenOf(filled));
  },
  /** The same keys in a plain Map, and a sample of tokens to look up, in no order. */
  prepareLookUps: (sampleSize: number): void => {
    for (let index = map.size; index < filled; index++) map.set(keyOf(tokenOf(index)), { index });
    sample = Array.from({ length: Math.min(sampleSize, filled) }, (_, index) =>
      tokenOf(sampleSize < filled ? Math.floor(Math.random() * filled) : index),
    );
    global.gc?.();
  },
  nanoseconds: ({ what, turnMs }: { what: keyof typeof calls; turnMs: number }): number => {
    const nanoseconds = nanosecondsPerCall(sample, turnMs, calls[what]);
    mustBeAtRest(authenticator);
    return nanoseconds;
  },
};
export type GrowthAnswers = typeof answers;

answerParent(answers);
