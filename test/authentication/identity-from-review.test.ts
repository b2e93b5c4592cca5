import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { unverifiedClaims, type UnverifiedClaims } from '../../src/authentication/claims.ts';
import { verdictOf } from '../../src/authentication/identity-from-review.ts';
import type { ServiceAccountIdentity } from '../../src/authentication/service-account-identity.ts';
import type { Verdict } from '../../src/authentication/verdict.ts';
import { reviewOf } from '../../src/kubernetes/token-review.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { type AuthenticatedReview, podClaims, podReview, refusal, unsignedToken } from '../support/tokens.ts';

const clock = new FakeClock();
const now = clock.now();
const prefix = 'authentication.kubernetes.io/';

function claimsOf(claims: object): UnverifiedClaims {
  const read = unverifiedClaims(unsignedToken(claims));
  if (read === undefined) throw new Error('no JWT');
  return read;
}

interface Case {
  readonly review?: Partial<AuthenticatedReview>;
  readonly claims?: Record<string, unknown>;
  readonly audiences?: readonly string[];
}

const verdict = ({ review = {}, claims = {}, audiences = ['orders'] }: Case = {}): Verdict =>
  verdictOf(podReview(review), claimsOf(podClaims(clock, claims)), audiences, now);

function identityOf(found: Verdict): ServiceAccountIdentity {
  if ('identity' in found) return found.identity;
  throw new Error(`rejected: ${found.reason}`);
}

test('makes the identity of a Pod-bound token from the review and what the claims add to it', () => {
  expect(identityOf(verdict())).toStrictEqual({
    username: 'system:serviceaccount:shop:web',
    namespace: 'shop',
    name: 'web',
    uid: 'uid-of-web',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
    audiences: ['orders'],
    boundTo: { kind: 'Pod', name: 'web-1', uid: 'uid-of-web-1' },
    pod: { name: 'web-1', uid: 'uid-of-web-1' },
    node: { name: 'node-a', uid: 'uid-of-node-a' },
    credentialId: 'credential-1',
    issuedAt: now - 600_000,
    expiresAt: now + 3_600_000,
    reviewedAt: now,
    extra: podReview().extra,
  });
});

const serviceaccount = { name: 'web', uid: 'uid-of-web' };
const bound = (to: object): Record<string, unknown> => ({
  'kubernetes.io': { namespace: 'shop', serviceaccount, ...to },
});
const credentialId = { [`${prefix}credential-id`]: ['JTI=credential-1'] };

describe('tokens bound to other things than a Pod', () => {
  test('a Node', () => {
    const extra = { ...credentialId, [`${prefix}node-name`]: ['node-a'], [`${prefix}node-uid`]: ['n'] };
    const identity = identityOf(verdict({ review: { extra }, claims: bound({ node: { name: 'node-a', uid: 'n' } }) }));
    expect(identity.boundTo).toStrictEqual({ kind: 'Node', name: 'node-a', uid: 'n' });
    expect(identity.node).toStrictEqual({ name: 'node-a', uid: 'n' });
    expect('pod' in identity).toBe(false);
  });

  test('a Node that the token names without its uid', () => {
    const extra = { ...credentialId, [`${prefix}node-name`]: ['node-a'] };
    const identity = identityOf(verdict({ review: { extra }, claims: bound({ node: { name: 'node-a' } }) }));
    expect(identity.boundTo).toStrictEqual({ kind: 'Node', name: 'node-a' });
    expect(identity.node).toStrictEqual({ name: 'node-a' });
  });

  test('a Secret, which no review names', () => {
    const claims = bound({ secret: { name: 's', uid: 'su' } });
    const identity = identityOf(verdict({ review: { extra: credentialId }, claims }));
    expect(identity.boundTo).toStrictEqual({ kind: 'Secret', name: 's', uid: 'su' });
    expect('pod' in identity || 'node' in identity).toBe(false);
  });

  test('nothing but the ServiceAccount', () => {
    const identity = identityOf(verdict({ review: { extra: credentialId }, claims: bound({}) }));
    expect(identity.boundTo).toBeUndefined();
    expect('pod' in identity || 'node' in identity).toBe(false);
  });

  test('a Pod on no Node', () => {
    const extra = { ...credentialId, [`${prefix}pod-name`]: ['p'], [`${prefix}pod-uid`]: ['pu'] };
    const identity = identityOf(verdict({ review: { extra }, claims: bound({ pod: { name: 'p', uid: 'pu' } }) }));
    expect(identity.boundTo).toStrictEqual({ kind: 'Pod', name: 'p', uid: 'pu' });
    expect('node' in identity).toBe(false);
  });

  test('a Secret, of the legacy kind: no times, no credential ID, no uid of the Secret', () => {
    const claims = claimsOf({
      'kubernetes.io/serviceaccount/namespace': 'shop',
      'kubernetes.io/serviceaccount/service-account.name': 'web',
      'kubernetes.io/serviceaccount/service-account.uid': 'uid-of-web',
      'kubernetes.io/serviceaccount/secret.name': 'web-token',
    });
    const identity = identityOf(verdictOf(podReview({ extra: {}, audiences: ['kubernetes'] }), claims, [], now));
    expect(identity.boundTo).toStrictEqual({ kind: 'Secret', name: 'web-token' });
    expect(Object.keys(identity)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(credentialId|issuedAt|expiresAt|pod|node)$/)]),
    );
  });
});

test('accepts a review without credential ID, as Kubernetes before 1.30 gives it', () => {
  const { [`${prefix}credential-id`]: _, ...extra } = podReview().extra;
  expect(identityOf(verdict({ review: { extra } })).credentialId).toBe('credential-1');
});

describe('the audiences of an identity', () => {
  test('are those of the review that are ours', () => {
    const audiences = ['orders', 'billing'];
    expect(identityOf(verdict({ review: { audiences: ['vault', 'billing'] }, audiences })).audiences).toEqual([
      'billing',
    ]);
  });

  test("are the review's where we have none", () => {
    expect(identityOf(verdict({ review: { audiences: ['api'] }, audiences: [] })).audiences).toEqual(['api']);
    expect(identityOf(verdict({ review: { audiences: [] }, audiences: [] })).audiences).toEqual([]);
  });

  test.each([[[]], [['vault']], [['Orders']], [['orders ']]])(
    'cannot come from a review that names %j',
    (audiences) => {
      expect(verdict({ review: { audiences } })).toMatchObject({
        rejected: 'wrong_audience',
        reason: 'the review names none of our audiences',
      });
    },
  );
});

test('a review that does not authenticate is a rejection, for the reason it gives', () => {
  expect(verdictOf(refusal, claimsOf(podClaims(clock)), ['orders'], now)).toEqual({
    rejected: 'token_refused',
    reason: 'token has been invalidated',
    credentialId: 'credential-1',
  });
});

describe('usernames', () => {
  test.each([
    'kubernetes-admin',
    'system:node:node-a',
    'system:anonymous',
    'oidc:system:serviceaccount:shop:web',
    'System:ServiceAccount:shop:web',
    'system:serviceaccount:',
    'system:serviceaccount:shop',
    'system:serviceaccount:shop:',
    'system:serviceaccount::web',
    'system:serviceaccount:shop:web:extra',
    'system:serviceaccount:Shop:web',
    'system:serviceaccount:shop.eu:web',
    'system:serviceaccount:-shop:web',
    'system:serviceaccount:shop:web-',
    'system:serviceaccount:shop:web..eu',
    'system:serviceaccount:shop:.web',
    'system:serviceaccount:shop:web/../admin',
    'system:serviceaccount:shop:web\n',
    `system:serviceaccount:${'n'.repeat(64)}:web`,
    `system:serviceaccount:shop:${'s'.repeat(254)}`,
  ])('%j is no ServiceAccount', (username) => {
    expect(verdict({ review: { username } })).toMatchObject({
      rejected: 'not_a_service_account',
      reason: `authenticated as ${username.slice(0, 200)}`,
      credentialId: 'credential-1',
    });
  });

  test.each([
    ['of one letter', 'n', 's'],
    ['of digits', '0', '1'],
    ['in parts of one letter', 'n', 's.t'],
    ["as long as Kubernetes' limits", 'n'.repeat(63), `${'s'.repeat(126)}.${'t'.repeat(126)}`],
    ['with a dot in the ServiceAccount', 'kube-system', 'controller.v1-2'],
  ])('names %s are a ServiceAccount', (_, namespace, name) => {
    const identity = identityOf(
      verdict({
        review: { username: `system:serviceaccount:${namespace}:${name}`, extra: credentialId },
        claims: { 'kubernetes.io': { namespace, serviceaccount: { name, uid: 'uid-of-web' } } },
      }),
    );
    expect([identity.namespace, identity.name]).toEqual([namespace, name]);
  });

  test('a reason does not grow with the username, since rejections are remembered', () => {
    const found = verdict({ review: { username: 'u'.repeat(1_000_000) } });
    expect(JSON.stringify(found).length).toBeLessThan(1_000);
  });
});

const extraWith = (key: string, values: readonly string[] | undefined): Partial<AuthenticatedReview> => {
  const { [prefix + key]: _, ...rest } = podReview().extra;
  return { extra: values === undefined ? rest : { ...rest, [prefix + key]: values } };
};

describe('a review and claims that disagree are a rejection:', () => {
  test.each<[string, Partial<AuthenticatedReview>]>([
    ['the namespace', { username: 'system:serviceaccount:shop2:web' }],
    ['the ServiceAccount', { username: 'system:serviceaccount:shop:web2' }],
    ["the ServiceAccount's uid", { uid: 'another' }],
    ["the ServiceAccount's uid", { uid: '' }],
    ['the Pod', extraWith('pod-name', ['web-2'])],
    ['the Pod', extraWith('pod-name', undefined)],
    ['the Pod', extraWith('pod-name', [])],
    ['the Pod', extraWith('pod-name', ['web-1', 'web-2'])],
    ["the Pod's uid", extraWith('pod-uid', ['another'])],
    ["the Pod's uid", extraWith('pod-uid', undefined)],
    ['the Node', extraWith('node-name', ['node-b'])],
    ['the Node', extraWith('node-name', undefined)],
    ["the Node's uid", extraWith('node-uid', ['another'])],
    ["the Node's uid", extraWith('node-uid', undefined)],
    ['the credential ID', extraWith('credential-id', ['JTI=another'])],
    ['the credential ID', extraWith('credential-id', ['credential-1'])],
    ['the credential ID', extraWith('credential-id', ['JTI=credential-1', 'JTI=credential-2'])],
    ['the credential ID', extraWith('credential-id', [])],
  ])('%s (%#)', (what, review) => {
    expect(verdict({ review })).toEqual({
      rejected: 'claims_mismatch',
      reason: `review and claims disagree in ${what}`,
      credentialId: 'credential-1',
    });
  });

  test.each<[string, Record<string, unknown>]>([
    ['the Pod', bound({ node: { name: 'node-a', uid: 'uid-of-node-a' } })],
    ['the Node', bound({ pod: { name: 'web-1', uid: 'uid-of-web-1' } })],
    ["the Node's uid", bound({ pod: { name: 'web-1', uid: 'uid-of-web-1' }, node: { name: 'node-a' } })],
    ['the credential ID', { jti: undefined }],
    ['the credential ID', { jti: 'CREDENTIAL-1' }],
  ])('%s, where the claims lack it or say otherwise (%#)', (what, claims) => {
    expect(verdict({ claims })).toMatchObject({
      rejected: 'claims_mismatch',
      reason: `review and claims disagree in ${what}`,
    });
  });

  test('a credential ID that spells out a missing one', () => {
    const found = verdict({ review: extraWith('credential-id', ['JTI=undefined']), claims: { jti: undefined } });
    expect(found).toMatchObject({ rejected: 'claims_mismatch' });
  });

  test('several Pods that the claims name as one', () => {
    const names = ['web-1', 'web-2'];
    const claims = bound({
      pod: { name: names.join(), uid: 'uid-of-web-1' },
      node: { name: 'node-a', uid: 'uid-of-node-a' },
    });
    expect(verdict({ review: extraWith('pod-name', names), claims })).toMatchObject({
      rejected: 'claims_mismatch',
      reason: 'review and claims disagree in the Pod',
    });
  });

  test('claims of no ServiceAccount at all', () => {
    expect(verdict({ claims: { 'kubernetes.io': undefined } })).toMatchObject({
      rejected: 'claims_mismatch',
      reason: 'the token claims no ServiceAccount',
    });
  });
});

function everythingIn(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap((inner) => everythingIn(inner))];
}

test('an identity is frozen to its depths, and shares nothing with the review', () => {
  const review = podReview();
  const identity = identityOf(verdictOf(review, claimsOf(podClaims(clock)), ['orders'], now));
  const objects = everythingIn(identity);
  expect(objects.length).toBeGreaterThan(10);
  expect(objects.filter((one) => !Object.isFrozen(one))).toEqual([]);
  (review.groups as string[]).push('system:masters');
  (review.extra['authentication.kubernetes.io/pod-name'] as string[])[0] = 'web-2';
  expect(identity.groups).not.toContain('system:masters');
  expect(identity.extra['authentication.kubernetes.io/pod-name']).toEqual(['web-1']);
});

test('an `extra` with the key `__proto__` changes no prototype', () => {
  const extra = JSON.parse(`{"__proto__": ["x"], "${prefix}credential-id": ["JTI=credential-1"]}`) as Record<
    string,
    string[]
  >;
  const identity = identityOf(verdict({ review: { extra }, claims: bound({}) }));
  expect(Object.getPrototypeOf(identity.extra)).toBe(Object.prototype);
  expect(({} as { x?: unknown }).x).toBeUndefined();
});

describe('what a real kube-apiserver answered', () => {
  const recordings = z
    .object({
      recordings: z.array(
        z.object({
          case: z.string().optional(),
          claims: z.record(z.string(), z.unknown()).optional(),
          specAudiences: z.array(z.string()).optional(),
          httpStatus: z.number().optional(),
          status: z.unknown().optional(),
        }),
      ),
    })
    .parse(JSON.parse(readFileSync(new URL('../fixtures/tokenreview-recordings.json', import.meta.url), 'utf8')))
    .recordings.flatMap(({ claims, status, httpStatus, specAudiences = [], case: name = '' }) =>
      claims && typeof status === 'object' && status !== null && httpStatus === 201
        ? [{ claims, status, specAudiences, name, authenticated: 'authenticated' in status }]
        : [],
    );

  test.each(recordings)('$name', ({ claims, status, specAudiences, authenticated }) => {
    const token = unsignedToken(claims);
    const read = unverifiedClaims(token);
    if (read === undefined) return expect(authenticated).toBe(false);
    const found = verdictOf(reviewOf({ status }, token), read, specAudiences, now);
    if (authenticated) expect(identityOf(found).groups).toContain('system:serviceaccounts');
    else expect(found).toMatchObject({ rejected: 'token_refused' });
  });

  test('was recorded often enough to be of use', () => {
    expect(recordings.filter(({ authenticated }) => authenticated).length).toBeGreaterThan(10);
    expect(recordings.filter(({ authenticated }) => !authenticated).length).toBeGreaterThan(10);
  });
});
