import { accepted, failure, refused, rejected, unavailable } from '../conformance/expected.ts';
import { podToken } from '../conformance/pod-token.ts';
import type { Scenario } from '../conformance/scenario.ts';

const bound = { pod: 'web-1', node: 'node-a' };

function forbidden(user: string): ReturnType<typeof failure> {
  const why = `User "${user}" cannot create resource "tokenreviews" in API group "authentication.k8s.io" at the cluster scope`;
  return failure(403, 'Forbidden', `tokenreviews.authentication.k8s.io is forbidden: ${why}`, {
    group: 'authentication.k8s.io',
    kind: 'tokenreviews',
  });
}

const unauthorized = failure(401, 'Unauthorized', 'Unauthorized');

export const reviewers: readonly Scenario[] = [
  {
    name: 'the right to create TokenReviews',
    situation: async (scene) => ({ token: await podToken(scene) }),
    expected: accepted(bound),
  },
  {
    name: 'no right to',
    situation: async (scene) => {
      const reviewer = await scene.serviceAccount('powerless');
      return { token: await podToken(scene), reviewer: await reviewer.token() };
    },
    expected: { review: forbidden('system:serviceaccount:shop:powerless'), ...unavailable('reviewer_forbidden') },
  },
  {
    name: 'no right to, where the caller is a forger: which we find out ourselves',
    situation: async (scene) => {
      const reviewer = await scene.serviceAccount('powerless');
      const token = await podToken(scene);
      return { token: `${token.slice(0, -6)}AAAAAA`, reviewer: await reviewer.token() };
    },
    expected: { review: forbidden('system:serviceaccount:shop:powerless'), ...rejected('token_forged') },
  },
  {
    name: 'no credential',
    situation: async (scene) => ({ token: await podToken(scene), reviewer: null }),
    expected: { review: forbidden('system:anonymous'), ...unavailable('reviewer_forbidden') },
  },
  {
    name: 'garbage for a credential',
    situation: async (scene) => ({ token: await podToken(scene), reviewer: 'garbage' }),
    expected: { review: unauthorized, ...unavailable('reviewer_unauthenticated') },
  },
  {
    name: 'a credential for another audience',
    situation: async (scene) => {
      const reviewer = await scene.serviceAccount('reviewer');
      return { token: await podToken(scene), reviewer: await reviewer.token({ audiences: 'orders' }) };
    },
    expected: { review: unauthorized, ...unavailable('reviewer_unauthenticated') },
  },
  {
    name: 'an expired credential',
    needsSecrets: true,
    situation: async (scene) => ({
      token: await podToken(scene),
      reviewer: scene.resigned(scene.reviewerToken, { exp: scene.now - 65 }),
    }),
    expected: { review: unauthorized, ...unavailable('reviewer_unauthenticated') },
  },
  {
    name: 'a credential that expired 50 s ago, which the API server still takes',
    needsSecrets: true,
    situation: async (scene) => ({
      token: await podToken(scene),
      reviewer: scene.resigned(scene.reviewerToken, { exp: scene.now - 50 }),
    }),
    expected: accepted(bound),
  },
  {
    name: 'a forged credential',
    needsSecrets: true,
    situation: async (scene) => ({
      token: await podToken(scene),
      reviewer: scene.resigned(scene.reviewerToken, {}, { key: 'foreign' }),
    }),
    expected: { review: unauthorized, ...unavailable('reviewer_unauthenticated') },
  },
  {
    name: 'a credential of a Pod that is gone',
    situation: async (scene) => {
      const reviewer = await scene.pod('reviewer-1');
      const credential = await reviewer.token();
      const token = await podToken(scene);
      await reviewer.delete();
      return { token, reviewer: credential };
    },
    waitMs: 1_000,
    expected: { review: unauthorized, ...unavailable('reviewer_unauthenticated') },
  },
  {
    name: 'a user that is no ServiceAccount and has no right to',
    needsSecrets: true,
    situation: async (scene) => ({ token: await podToken(scene), reviewer: scene.secrets.janeToken }),
    expected: { review: forbidden('jane'), ...unavailable('reviewer_forbidden') },
  },
  {
    name: 'the very token that is reviewed',
    situation: async (scene) => {
      const serviceAccount = await scene.serviceAccount();
      const own = await serviceAccount.token();
      return { token: own, audiences: [], reviewer: scene.reviewerToken };
    },
    expected: accepted({ asked: [] }),
  },
  {
    name: 'the right to, where the caller is a forger',
    needsSecrets: true,
    situation: async (scene) => ({ token: scene.resigned(await podToken(scene), {}, { key: 'foreign' }) }),
    expected: refused('[invalid bearer token, go-jose/go-jose: error in cryptographic primitive]', {
      code: 'token_forged',
    }),
  },
];
