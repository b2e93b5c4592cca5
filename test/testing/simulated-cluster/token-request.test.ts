import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type SimulatedCluster,
  startSimulatedCluster,
} from '../../../src/testing/simulated-cluster/simulated-cluster.ts';

const ISSUER = 'https://kubernetes.default.svc.cluster.local';
let cluster: SimulatedCluster;
beforeAll(async () => {
  cluster = await startSimulatedCluster();
  await cluster.createPod('shop/web-1', { serviceAccount: 'web', node: 'node-a' });
  await cluster.createServiceAccount('shop/other');
  await cluster.createSecret('shop/s');
});
afterAll(() => cluster.close());

interface Answer {
  readonly status: number;
  readonly body: {
    readonly message: string;
    readonly reason: string;
    readonly details: object;
    readonly status: { readonly token: string; readonly expirationTimestamp: string };
  };
}

async function requestToken(spec: object, { account = 'web', metadata = {} } = {}): Promise<Answer> {
  const path = `/api/v1/namespaces/shop/serviceaccounts/${account}/token`;
  return (await cluster.request('POST', path, { metadata, spec })) as Answer;
}

function claimsOf({ body }: Answer): Record<string, unknown> & { exp: number; iat: number } {
  const [, payload = ''] = body.status.token.split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown> & {
    exp: number;
    iat: number;
  };
}

describe('expirationSeconds', () => {
  test.each([600, 3600, 2 ** 32])('%i is granted', async (expirationSeconds) => {
    const answer = await requestToken({ expirationSeconds });
    const { exp, iat } = claimsOf(answer);
    expect(answer.status).toBe(201);
    expect(exp - iat).toBe(expirationSeconds);
  });

  test.each([
    [599, 'may not specify a duration less than 10 minutes'],
    [0, 'may not specify a duration less than 10 minutes'],
    [2 ** 32 + 1, 'may not specify a duration larger than 2^32 seconds'],
  ])('%i is refused', async (expirationSeconds, why) => {
    const message = `Invalid value: ${expirationSeconds}: ${why}`;
    const { status, body } = await requestToken({ expirationSeconds });
    expect(status).toBe(422);
    expect(body).toMatchObject({
      message: `TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: ${message}`,
      reason: 'Invalid',
      details: {
        group: 'authentication.k8s.io',
        kind: 'TokenRequest',
        causes: [{ reason: 'FieldValueInvalid', message, field: 'spec.expirationSeconds' }],
      },
    });
  });

  test('is an hour by default', async () => {
    const { exp, iat } = claimsOf(await requestToken({}));
    expect(exp - iat).toBe(3600);
  });

  test("of 3607 for a Pod and the API server's audience gives a year and a warning time, as kubelets ask for", async () => {
    const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'web-1' };
    const answer = await requestToken({ expirationSeconds: 3607, boundObjectRef });
    const claims = claimsOf(answer);
    expect(claims.exp - claims.iat).toBe(31_536_000);
    expect(claims['kubernetes.io']).toMatchObject({ warnafter: claims.iat + 3607 });
    expect(Date.parse(answer.body.status.expirationTimestamp) / 1000).toBe(claims.iat + 3607);

    const dedicated = claimsOf(await requestToken({ expirationSeconds: 3607, boundObjectRef, audiences: ['orders'] }));
    const unbound = claimsOf(await requestToken({ expirationSeconds: 3607 }));
    for (const { exp, iat, 'kubernetes.io': bound } of [dedicated, unbound]) {
      expect(exp - iat).toBe(3607);
      expect(bound).not.toHaveProperty('warnafter');
    }
  });
});

test.each([[{}], [{ audiences: [] }]])("%j asks for the API server's audience", async (spec) => {
  expect(claimsOf(await requestToken(spec))['aud']).toEqual([ISSUER]);
});

describe('boundObjectRef', () => {
  test.each([
    ['Pod', 'web-1', ['namespace', 'node', 'pod', 'serviceaccount']],
    ['Node', 'node-a', ['namespace', 'node', 'serviceaccount']],
    ['Secret', 's', ['namespace', 'secret', 'serviceaccount']],
  ])('binds to a %s', async (kind, name, keys) => {
    const answer = await requestToken({ boundObjectRef: { kind, apiVersion: 'v1', name } });
    expect(Object.keys(claimsOf(answer)['kubernetes.io'] as object)).toEqual(keys);
  });

  test.each([
    ['Pod', 'missing', 'pods "missing" not found'],
    ['Node', 'missing', 'nodes "missing" not found'],
    ['Secret', 'missing', 'secrets "missing" not found'],
  ])('to a %s that is missing is 404', async (kind, name, message) => {
    const { status, body } = await requestToken({ boundObjectRef: { kind, apiVersion: 'v1', name } });
    expect(status).toBe(404);
    expect(body.message).toBe(message);
  });

  test('without a name is refused', async () => {
    const { status, body } = await requestToken({ boundObjectRef: { kind: 'Pod', apiVersion: 'v1' } });
    expect(status).toBe(400);
    expect(body.message).toBe('Name parameter required.');
  });

  test('with another uid is a conflict', async () => {
    const uid = '11111111-2222-3333-4444-555555555555';
    const { status, body } = await requestToken({
      boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web-1', uid },
    });
    expect(status).toBe(409);
    expect(body).toMatchObject({
      reason: 'Conflict',
      message: `Operation cannot be fulfilled on Pod "web-1": the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    });
  });

  test("to another ServiceAccount's Pod is refused", async () => {
    const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'web-1' };
    const { status, body } = await requestToken({ boundObjectRef }, { account: 'other' });
    expect(status).toBe(400);
    expect(body.message).toBe(
      'cannot bind token for serviceaccount "other" to pod running with different serviceaccount name.',
    );
  });

  test.each([
    ['ConfigMap', 'v1', '/v1, Kind=ConfigMap'],
    ['Pod', 'apps/v1', 'apps/v1, Kind=Pod'],
  ])('to a %s of %s is refused', async (kind, apiVersion, named) => {
    const { status, body } = await requestToken({ boundObjectRef: { kind, apiVersion, name: 'x' } });
    expect(status).toBe(400);
    expect(body.message).toBe(`cannot bind token to object of type ${named}`);
  });
});

describe('what the body says of the ServiceAccount must be so', () => {
  test.each([
    [{ name: 'other' }, 422, 'metadata.name: Invalid value: "other": must match the service account name if specified'],
    [
      { namespace: 'attic' },
      400,
      'the namespace of the provided object does not match the namespace sent on the request',
    ],
    [{ uid: 'x' }, 409, 'the UID in the token request (x) does not match the UID of the service account'],
  ])('%j', async (metadata, status, message) => {
    const answer = await requestToken({}, { metadata });
    expect(answer.status).toBe(status);
    expect(answer.body.message).toContain(message);
  });

  test('a ServiceAccount that is missing is 404', async () => {
    const { status, body } = await requestToken({}, { account: 'missing' });
    expect(status).toBe(404);
    expect(body).toMatchObject({
      message: 'serviceaccounts "missing" not found',
      details: { name: 'missing', kind: 'serviceaccounts' },
    });
  });
});

test('a field of the wrong type is 400', async () => {
  const { status, body } = await requestToken({ expirationSeconds: 'long' });
  expect(status).toBe(400);
  expect(body.message).toBe(
    'TokenRequest in version "v1" cannot be handled as a TokenRequest: json: cannot unmarshal string into Go struct field TokenRequestSpec.spec.expirationSeconds of type int64',
  );
});
