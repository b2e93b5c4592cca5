import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { SignOptions } from '../../../src/testing/simulated-cluster/simulated-cluster.ts';
import {
  type SimulatedCluster,
  startSimulatedCluster,
} from '../../../src/testing/simulated-cluster/simulated-cluster.ts';

/**
 * The answers of a real kube-apiserver, replayed: the history they were recorded in is rebuilt step by step on a simulated
 * cluster, and each answer compared. Recorded uids stand for those of the simulated objects of the same names, recorded
 * times for the simulated cluster's time.
 */
interface Recording {
  readonly case: string;
  readonly claims?: Record<string, unknown>;
  readonly specAudiences?: string[];
  readonly spec?: object;
  readonly httpStatus: number;
  readonly status: unknown;
  readonly message?: string;
  readonly full?: object;
  readonly headers?: Record<string, string>;
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: unknown;
}

const file = new URL('../../fixtures/tokenreview-recordings.json', import.meta.url);
const recordings = new Map(
  (JSON.parse(readFileSync(file, 'utf8')) as { recordings: Recording[] }).recordings.map((one) => [one.case, one]),
);
const answers = new Map<string, Answer>();
const simulatedUids = new Map<string, string>();
let cluster: SimulatedCluster;
let recordedNow = 1_795_467_081;
let shiftSeconds: number;

function recorded(name: string): Recording {
  const recording = recordings.get(name);
  if (!recording) throw new Error(`There is no recording ${name}`);
  return recording;
}

function given(name: string): Answer {
  const answer = answers.get(name);
  if (!answer) throw new Error(`${name} was not replayed`);
  return answer;
}

/** Moves the simulated cluster to the recorded moment. */
function moveTo(epochSeconds: number): void {
  cluster.clock.advance((epochSeconds - recordedNow) * 1000);
  recordedNow = epochSeconds;
}

/** `uid` of the recordings is that object here. */
function identify(uid: string, object: { uid: string }): void {
  simulatedUids.set(uid, object.uid);
}

function simulated(claims: Record<string, unknown>): Record<string, unknown> {
  let text = JSON.stringify(claims);
  for (const [uid, ours] of simulatedUids) text = text.replaceAll(uid, ours);
  const result = JSON.parse(text) as Record<string, unknown>;
  for (const time of ['exp', 'iat', 'nbf']) {
    const value = result[time];
    if (typeof value === 'number') result[time] = value + shiftSeconds;
  }
  return result;
}

function asRecorded(body: unknown): unknown {
  let text = JSON.stringify(body);
  for (const [uid, ours] of simulatedUids) text = text.replaceAll(ours, uid);
  return JSON.parse(text);
}

function tokenOf(name: string, options?: SignOptions): string {
  return cluster.signToken(simulated(recorded(name).claims ?? {}), options);
}

async function call(name: string, ...request: Parameters<SimulatedCluster['request']>): Promise<void> {
  answers.set(name, await cluster.request(...request));
}

const TOKEN_REVIEWS = '/apis/authentication.k8s.io/v1/tokenreviews';

async function review(name: string, token = tokenOf(name), caller?: string | null): Promise<void> {
  const spec = { token, audiences: recorded(name).specAudiences };
  await call(name, 'POST', TOKEN_REVIEWS, { spec }, caller === undefined ? {} : { token: caller });
}

async function subjectAccessReview(name: string): Promise<void> {
  await call(name, 'POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', { spec: recorded(name).spec });
}

function swapPayload(token: string, claims: Record<string, unknown>): string {
  const [header, , signature] = token.split('.');
  return [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
}

beforeAll(async () => {
  cluster = await startSimulatedCluster({ controllers: false });
  shiftSeconds = Math.floor(cluster.clock.now() / 1000) - recordedNow;
  const nodeA = await cluster.createNode('node-a');
  const frontend = await cluster.createServiceAccount('shop/frontend');
  const web1 = await cluster.createPod('shop/web-1', { serviceAccount: 'frontend', node: 'node-a' });
  const secret = await cluster.createSecret('shop/s1');
  identify('7afb9533-41c6-443f-b46f-0d7048ef46a9', nodeA);
  identify('3e334195-b987-4a3e-93fa-d573d6628c37', frontend);
  identify('7c777350-38d0-4f0f-bda0-3c64d176bf03', web1);
  identify('04cca04d-04a6-409e-9266-68260bc15673', secret);
  const apiToken = tokenOf('pod-bound, default audience');

  await call('tokenrequest-response', 'POST', `${frontend.path}/token`, {
    spec: { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web-1', uid: web1.uid } },
  });
  await review('pod-bound, default audience');
  await review('pod-bound, default audience asked by name');
  await review('pod-bound, other audience asked');
  await review('pod-bound two audiences, one asked');
  await review('pod-bound two audiences, three asked');
  await review('pod-bound two audiences, none asked');
  await review('pod-bound two audiences, empty list asked');
  await review('unbound ServiceAccount token');
  await review('secret-bound');
  await review('node-bound');

  await review('expired');
  await review('expired 10 s ago within leeway?');
  await review('not yet valid');
  await review('wrong issuer');
  await review('issuer missing');
  await review('unknown kid', tokenOf('unknown kid', { header: { kid: 'unknown' } }));
  await review('no kid', tokenOf('no kid', { header: { kid: undefined } }));
  const untampered = tokenOf('pod-bound two audiences, one asked');
  await review('tampered payload', swapPayload(untampered, simulated(recorded('tampered payload').claims ?? {})));
  await review('alg none', tokenOf('alg none', { header: { alg: 'none' } }));
  const publicKey = cluster.signingKey.publicKey;
  const confused = tokenOf('HS256 signed with the public key', { key: publicKey, header: { alg: 'HS256' } });
  await review('HS256 signed with the public key', confused);
  await review('garbage', 'garbage');
  await review('three dots garbage', 'a.b.c');
  await review('empty token', '');
  await review('space inside token', apiToken.replace('.', '. '));
  await review('20 kB garbage', 'x'.repeat(20_000));
  await review('no kubernetes.io claim');
  await review('exp as string');
  const legacyToken = tokenOf('legacy Secret token');
  await cluster.createSecret('shop/frontend-legacy', { legacyTokenFor: 'frontend', data: { token: legacyToken } });
  await review('legacy Secret token', legacyToken);
  await review('legacy Secret token, audience asked', legacyToken);

  await nodeA.delete();
  await review('pod-bound, its Node deleted');
  await review('node-bound, Node deleted');
  const secondNodeA = await cluster.createNode('node-a');
  identify('a7d2ff7d-3107-423d-9714-030a183845d0', secondNodeA);
  await review('node-bound, Node recreated (new uid)');

  moveTo(1_795_467_092);
  await secret.delete();
  await review('secret-bound, Secret deleted');
  const web2 = await cluster.createPod('shop/web-2', { serviceAccount: 'frontend', node: 'node-a' });
  identify('057a9d22-5d43-4ed3-a43a-cb72b24a1394', web2);
  await web2.delete({ gracePeriodSeconds: 1 });
  moveTo(1_795_467_094);
  await review('pod terminating, grace over < 60 s ago');

  await web1.delete();
  moveTo(1_795_467_103);
  await review('pod deleted');
  const recreated = await cluster.createPod('shop/web-1', { serviceAccount: 'frontend', node: 'node-a' });
  identify('c00d1b7e-f116-4ac8-a242-6fe063aea59b', recreated);
  await review('pod recreated under the same name');

  const temp = await cluster.createServiceAccount('shop/temp');
  identify('1a06cb3f-e35c-40b9-b081-155a7a293cc5', temp);
  await review('SA alive');
  await temp.delete();
  moveTo(1_795_467_114);
  await review('SA deleted');
  identify('354ccf44-a404-43f0-ae9e-05cff788e387', await cluster.createServiceAccount('shop/temp'));
  await review('SA recreated under the same name');
  moveTo(1_795_467_155);
  await review('pod terminating, grace over > 60 s ago');

  const norights = await cluster.createServiceAccount('shop/norights');
  await review('reviewer without RBAC', apiToken, await norights.token());
  await review('reviewer with a bad token', apiToken, cluster.signToken({}, { key: 'foreign' }));
  await review('anonymous reviewer', apiToken, null);

  moveTo(1_795_467_236);
  const ghost = await cluster.createServiceAccount('attic/ghost');
  const nodeB = await cluster.createNode('node-b');
  identify('d513cb94-8f77-41f1-ac88-d997cd08140a', ghost);
  identify('dabc4ebb-7183-410a-8bd1-5a5ae7df7b59', nodeB);
  const p = await cluster.createPod('attic/p', { serviceAccount: 'ghost', node: 'node-b' });
  identify('49fbcced-4216-4857-8c81-de28fd5be065', p);
  await review('expired 50 s ago');
  await review('expired 70 s ago');
  await review('not valid for another 50 s');
  await review('pod alive (primes the apiserver token cache)');
  await review('node-bound, Node alive');
  await nodeB.delete();
  moveTo(1_795_467_247);
  await review('node-bound, Node deleted 11 s ago');
  const secondNodeB = await cluster.createNode('node-b');
  identify('5ff83ef7-2220-4546-b8ba-c29114590890', secondNodeB);
  moveTo(1_795_467_258);
  await review('node-bound, Node recreated 11 s ago (new uid)');
  moveTo(1_795_467_270);
  const p2 = await cluster.createPod('attic/p2', { serviceAccount: 'ghost', node: 'node-b' });
  identify('3c025e4b-3055-4a1f-bc92-26c74fbc3da2', p2);
  await review('pod-bound p2');
  await secondNodeB.delete();
  moveTo(1_795_467_281);
  await review('pod-bound, its Node deleted 11 s ago');

  const rule = { verb: 'get', group: 'orders.example.com', resource: 'orders', namespace: 'attic' };
  await cluster.allow('attic/ghost', rule, { verb: 'get', path: '/reports/*' });
  for (const name of recordings.keys()) {
    if (name.startsWith('SubjectAccessReview')) await subjectAccessReview(name);
  }

  await call('GET /openid/v1/jwks', 'GET', '/openid/v1/jwks');
  await call('GET /.well-known/openid-configuration', 'GET', '/.well-known/openid-configuration');
  await call('TokenReview without a token', 'POST', TOKEN_REVIEWS, { spec: {} });
  await call('v1beta1', 'POST', '/apis/authentication.k8s.io/v1beta1/tokenreviews', { spec: { token: apiToken } });
  const asServiceAccount = { token: await norights.token() };
  for (const path of ['/openid/v1/jwks', '/.well-known/openid-configuration']) {
    await call(`any ServiceAccount: GET ${path}`, 'GET', path, undefined, asServiceAccount);
  }
  await call('anonymous: GET /openid/v1/jwks', 'GET', '/openid/v1/jwks', undefined, { token: null });
});

afterAll(() => cluster.close());

/** Recorded for their content, which other tests compare with what the simulated cluster makes. */
const NOT_A_REPLAY = new Set([
  'tokenrequest-response',
  'jwt-header',
  'time a deleted Pod kept authenticating (apiserver token cache)',
  'GET /openid/v1/jwks',
  'GET /.well-known/openid-configuration',
]);

describe('a recorded answer of kube-apiserver is given again', () => {
  test.each([...recordings.keys()].filter((name) => !NOT_A_REPLAY.has(name)))('%s', (name) => {
    const { httpStatus, status, message, full, spec } = recorded(name);
    const answer = given(name);
    const body = asRecorded(answer.body) as { status: unknown; message?: string };

    expect(answer.status).toBe(httpStatus);
    if (full) expect(body).toEqual(full);
    if (message !== undefined) expect(body.message).toBe(message);
    // Why a right is there depends on how it was granted: by RBAC on the real server, by a rule here.
    if (spec) expect(withoutReason(body.status)).toEqual(withoutReason(status));
    else if (status !== undefined) expect(body.status).toEqual(status);
  });
});

function withoutReason(status: unknown): unknown {
  return typeof status === 'object' ? { ...status, reason: undefined } : status;
}

test('a TokenRequest is answered as recorded, times and token aside', () => {
  const full = recorded('tokenrequest-response').full as { metadata: object; status: object };
  const answer = given('tokenrequest-response');
  const body = asRecorded(answer.body) as {
    metadata: { creationTimestamp: string };
    status: { token: string; expirationTimestamp: string };
  };

  expect(answer.status).toBe(201);
  expect(body).toEqual({
    ...full,
    metadata: { ...full.metadata, creationTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) },
    status: { token: expect.any(String), expirationTimestamp: expect.any(String) },
  });
  const { metadata, status } = body;
  expect(Date.parse(status.expirationTimestamp) - Date.parse(metadata.creationTimestamp)).toBe(3_600_000);
});

test('an issued token has the recorded header fields and claims', () => {
  const { status } = given('tokenrequest-response').body as { status: { token: string } };
  const [header, payload] = status.token
    .split('.')
    .slice(0, 2)
    .map((part) => Buffer.from(part, 'base64url').toString());
  const { claims = {} } = recorded('pod-bound, default audience');
  const issued = asRecorded(JSON.parse(payload ?? '')) as Record<string, number>;

  expect(JSON.parse(header ?? '')).toEqual({ alg: 'RS256', kid: cluster.signingKey.keyId });
  expect(Object.keys(recorded('jwt-header').full ?? {})).toEqual(['alg', 'kid']);
  expect(issued).toEqual({
    ...claims,
    exp: (issued['iat'] ?? 0) + 3600,
    iat: expect.any(Number),
    nbf: issued['iat'],
    jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
});

test('the published keys have the recorded form', () => {
  const { headers = {}, full } = recorded('GET /openid/v1/jwks');
  const answer = given('GET /openid/v1/jwks');
  const [key] = (full as { keys: Record<string, string>[] }).keys;

  expect(answer.status).toBe(200);
  expect(answer.headers).toMatchObject(headers);
  expect(answer.body).toEqual({
    keys: [{ ...key, kid: cluster.signingKey.keyId, n: cluster.signingKey.publicKey.export({ format: 'jwk' }).n }],
  });
});

test('the discovery document has the recorded form', () => {
  const { full } = recorded('GET /.well-known/openid-configuration');
  const answer = given('GET /.well-known/openid-configuration');

  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({ ...full, jwks_uri: `${cluster.server}/openid/v1/jwks` });
});
