import { accepted, refused } from '../conformance/expected.ts';
import { KUBERNETES_ISSUER } from '../conformance/issuer.ts';
import type { Scenario } from '../conformance/scenario.ts';

const orders = { audiences: 'orders' };

export const boundTokens: readonly Scenario[] = [
  {
    name: 'a Pod on a Node',
    situation: async (scene) => ({ token: await (await scene.pod('web-1', { node: 'node-a' })).token(orders) }),
    expected: accepted({ pod: 'web-1', node: 'node-a' }),
  },
  {
    name: 'a Pod on no Node yet',
    situation: async (scene) => ({ token: await (await scene.pod('web-1')).token(orders) }),
    expected: accepted({ pod: 'web-1' }),
  },
  {
    name: 'a Pod with dots in its name',
    situation: async (scene) => ({ token: await (await scene.pod('web.1.example')).token(orders) }),
    expected: accepted({ pod: 'web.1.example' }),
  },
  {
    name: 'a Pod of another ServiceAccount',
    situation: async (scene) => ({
      token: await (await scene.pod('job-1', { serviceAccount: 'batch' })).token(orders),
    }),
    expected: accepted({ serviceAccount: 'batch', pod: 'job-1' }),
  },
  {
    name: 'a Pod on a Node that does not exist: named without a uid',
    situation: async (scene) => {
      const node = await scene.node('node-a');
      const pod = await scene.pod('web-1', { node: 'node-a' });
      await node.delete();
      // The API server reads Nodes from a cache here.
      await scene.cluster.elapse(500);
      return { token: await pod.token(orders) };
    },
    expected: accepted({ pod: 'web-1', node: 'node-a', nodeUid: null }),
  },
  {
    name: 'a Node',
    situation: async (scene) => {
      const serviceAccount = await scene.serviceAccount();
      const node = await scene.node('node-a');
      return { token: await node.token({ serviceAccount, ...orders }) };
    },
    expected: accepted({ node: 'node-a' }),
  },
  {
    name: 'a Secret: which no answer names',
    situation: async (scene) => {
      const serviceAccount = await scene.serviceAccount();
      const secret = await scene.secret('key');
      return { token: await secret.token({ serviceAccount, ...orders }) };
    },
    expected: accepted({ secret: 'key' }),
  },
  {
    name: 'nothing',
    situation: async (scene) => ({ token: await (await scene.serviceAccount()).token(orders) }),
    expected: accepted(),
  },
  {
    name: 'nothing, for the shortest time allowed',
    situation: async (scene) => ({
      token: await (await scene.serviceAccount()).token({ ...orders, expirationSeconds: 600 }),
    }),
    expected: accepted(),
  },
  {
    name: 'nothing, for 136 years',
    situation: async (scene) => ({
      token: await (await scene.serviceAccount()).token({ ...orders, expirationSeconds: 2 ** 32 }),
    }),
    expected: accepted(),
  },
  {
    name: 'a legacy Secret token, where the service has no audience of its own',
    needsSecrets: true,
    situation: async (scene) => {
      const { token } = await scene.legacy('old', await scene.serviceAccount());
      return { token, audiences: [] };
    },
    expected: accepted({ legacy: true, secret: 'old', asked: [] }),
  },
  {
    name: 'a legacy Secret token, where the service has an audience of its own',
    needsSecrets: true,
    situation: async (scene) => ({ token: (await scene.legacy('old', await scene.serviceAccount())).token }),
    expected: refused(
      `[invalid bearer token, token audiences ["${KUBERNETES_ISSUER}"] is invalid for the target audiences ["orders"]]`,
      { code: 'wrong_audience' },
    ),
  },
];
