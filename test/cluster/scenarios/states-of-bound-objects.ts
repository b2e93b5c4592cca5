import type { ObjectHandle } from '../../../src/testing/cluster-client/object-handle.ts';
import { accepted, type ExpectedOfToken, refused } from '../conformance/expected.ts';
import { KUBERNETES_ISSUER } from '../conformance/issuer.ts';
import { podToken } from '../conformance/pod-token.ts';
import type { Scenario } from '../conformance/scenario.ts';
import type { Scene } from '../conformance/scene.ts';

const orders = { audiences: 'orders' };
const FINALIZER = { finalizers: ['example.com/hold'] };
/** The API server learns of a deletion by watching its own store, some milliseconds later. */
const AFTER_THE_LAG_MS = 1_000;
/** It remembers a token that it has accepted for 10 s. */
const AFTER_ITS_CACHE_MS = 11_000;
/** Whatever terminates counts for 60 s after its deletionTimestamp, which has whole seconds. */
const STILL_COUNTED_MS = 45_000;
const NO_LONGER_COUNTED_MS = 63_000;

interface Bound {
  readonly token: string;
  readonly object: ObjectHandle;
  /** Makes another object of that name. */
  readonly recreate: () => Promise<ObjectHandle>;
}

interface Kind {
  readonly kind: string;
  readonly bind: (scene: Scene, options: { readonly finalizers?: readonly string[] }) => Promise<Bound>;
  readonly alive: ExpectedOfToken;
  readonly gone: ExpectedOfToken;
  /** Held by a finalizer for more than 60 s, where that is worded differently. */
  readonly overdue?: ExpectedOfToken;
  readonly recreated: ExpectedOfToken;
}

const invalidated = refused('[invalid bearer token, service account token has been invalidated]');

const kinds: readonly Kind[] = [
  {
    kind: 'Pod',
    bind: async (scene, options) => {
      const object = await scene.pod('web-1', options);
      return { object, token: await object.token(orders), recreate: () => scene.pod('web-1') };
    },
    alive: accepted({ pod: 'web-1' }),
    gone: invalidated,
    recreated: refused(
      '[invalid bearer token, pod UID (<Pod web-1 #2>) does not match service account pod ref claim (<Pod web-1>)]',
    ),
  },
  {
    kind: 'Node',
    bind: async (scene, options) => {
      const serviceAccount = await scene.serviceAccount();
      const object = await scene.node('node-a', options);
      const token = await object.token({ serviceAccount, ...orders });
      return { object, token, recreate: () => scene.node('node-a') };
    },
    alive: accepted({ node: 'node-a' }),
    gone: invalidated,
    recreated: refused(
      '[invalid bearer token, node UID (<Node node-a #2>) does not match service account node ref claim (<Node node-a>)]',
    ),
  },
  {
    kind: 'Secret',
    bind: async (scene, options) => {
      const serviceAccount = await scene.serviceAccount();
      const object = await scene.secret('key', options);
      return { object, token: await object.token({ serviceAccount, ...orders }), recreate: () => scene.secret('key') };
    },
    alive: accepted({ secret: 'key' }),
    gone: invalidated,
    recreated: refused(
      '[invalid bearer token, secret UID (<Secret key #2>) does not match service account secret ref claim (<Secret key>)]',
    ),
  },
  {
    kind: 'ServiceAccount',
    bind: async (scene, options) => {
      const object = await scene.serviceAccount('web', options);
      return { object, token: await object.token(orders), recreate: () => scene.serviceAccount('web') };
    },
    alive: accepted(),
    gone: refused('[invalid bearer token, serviceaccounts "web" not found]'),
    overdue: refused('[invalid bearer token, service account shop/web has been deleted]'),
    recreated: refused(
      '[invalid bearer token, service account UID (<ServiceAccount web #2>) does not match claim (<ServiceAccount web>)]',
    ),
  },
];

const ofEachKind = kinds.flatMap(({ kind, bind, alive, gone, overdue = gone, recreated }): Scenario[] => [
  {
    name: `${kind}: deleted`,
    situation: async (scene) => {
      const { token, object } = await bind(scene, {});
      await object.delete();
      return { token };
    },
    waitMs: AFTER_THE_LAG_MS,
    expected: gone,
  },
  {
    name: `${kind}: deleted right after a review, which is remembered`,
    situation: async (scene) => {
      const { token, object } = await bind(scene, {});
      await scene.review(token);
      await object.delete();
      return { token };
    },
    expected: alive,
  },
  {
    name: `${kind}: deleted 11 s after a review, which is forgotten`,
    situation: async (scene) => {
      const { token, object } = await bind(scene, {});
      await scene.review(token);
      await object.delete();
      return { token };
    },
    waitMs: AFTER_ITS_CACHE_MS,
    expected: gone,
  },
  {
    name: `${kind}: deleted and made anew under its name`,
    situation: async (scene) => {
      const { token, object, recreate } = await bind(scene, {});
      await object.delete();
      await recreate();
      return { token };
    },
    waitMs: AFTER_THE_LAG_MS,
    expected: recreated,
  },
  {
    name: `${kind}: deleted and made anew under its name right after a review, which is remembered`,
    situation: async (scene) => {
      const { token, object, recreate } = await bind(scene, {});
      await scene.review(token);
      await object.delete();
      await recreate();
      return { token };
    },
    expected: alive,
  },
  {
    name: `${kind}: terminating, held by a finalizer`,
    situation: async (scene) => {
      const { token, object } = await bind(scene, FINALIZER);
      await object.delete();
      return { token };
    },
    waitMs: AFTER_THE_LAG_MS,
    expected: alive,
  },
  {
    name: `${kind}: held by a finalizer for less than 60 s`,
    situation: async (scene) => {
      const { token, object } = await bind(scene, FINALIZER);
      await object.delete();
      return { token };
    },
    waitMs: STILL_COUNTED_MS,
    expected: alive,
  },
  {
    name: `${kind}: held by a finalizer for more than 60 s`,
    situation: async (scene) => {
      const { token, object } = await bind(scene, FINALIZER);
      await object.delete();
      return { token };
    },
    waitMs: NO_LONGER_COUNTED_MS,
    expected: overdue,
  },
  {
    name: `${kind}: held by a finalizer that was then taken away`,
    situation: async (scene) => {
      const { token, object } = await bind(scene, FINALIZER);
      await object.delete();
      await object.setFinalizers([]);
      return { token };
    },
    waitMs: AFTER_THE_LAG_MS,
    expected: gone,
  },
]);

export const statesOfBoundObjects: readonly Scenario[] = [
  ...ofEachKind,
  {
    name: 'Pod: terminating within its grace period',
    situation: async (scene) => {
      const pod = await scene.pod('web-1', { node: 'node-a' });
      const token = await pod.token(orders);
      await pod.delete({ gracePeriodSeconds: 30 });
      return { token };
    },
    waitMs: AFTER_THE_LAG_MS,
    expected: accepted({ pod: 'web-1', node: 'node-a' }),
  },
  {
    name: 'Pod: past its grace period for less than 60 s',
    situation: async (scene) => {
      const pod = await scene.pod('web-1', { node: 'node-a' });
      const token = await pod.token(orders);
      await pod.delete({ gracePeriodSeconds: 1 });
      return { token };
    },
    waitMs: STILL_COUNTED_MS,
    expected: accepted({ pod: 'web-1', node: 'node-a' }),
  },
  {
    name: 'Pod: past its grace period for more than 60 s',
    situation: async (scene) => {
      const pod = await scene.pod('web-1', { node: 'node-a' });
      const token = await pod.token(orders);
      await pod.delete({ gracePeriodSeconds: 1 });
      return { token };
    },
    waitMs: NO_LONGER_COUNTED_MS,
    expected: invalidated,
  },
  {
    name: 'Pod: terminating, then deleted without grace',
    situation: async (scene) => {
      const pod = await scene.pod('web-1', { node: 'node-a' });
      const token = await pod.token(orders);
      await pod.delete({ gracePeriodSeconds: 30 });
      await pod.delete({ gracePeriodSeconds: 0 });
      return { token };
    },
    waitMs: AFTER_THE_LAG_MS,
    expected: invalidated,
  },
  {
    name: 'Pod: its token is asked for while it terminates',
    situation: async (scene) => {
      const pod = await scene.pod('web-1', { node: 'node-a' });
      await pod.delete({ gracePeriodSeconds: 30 });
      return { token: await pod.token(orders) };
    },
    waitMs: AFTER_THE_LAG_MS,
    expected: accepted({ pod: 'web-1', node: 'node-a' }),
  },
  {
    name: 'Pod: its Node deleted, which does not matter',
    situation: async (scene) => {
      const node = await scene.node('node-a');
      const token = await podToken(scene);
      await node.delete();
      return { token };
    },
    waitMs: AFTER_THE_LAG_MS,
    expected: accepted({ pod: 'web-1', node: 'node-a' }),
  },
  {
    name: 'Pod: its Node made anew, which does not matter',
    situation: async (scene) => {
      const node = await scene.node('node-a');
      const token = await podToken(scene);
      await node.delete();
      await scene.node('node-a');
      return { token };
    },
    waitMs: AFTER_THE_LAG_MS,
    expected: accepted({ pod: 'web-1', node: 'node-a' }),
  },
  {
    name: 'Pod: its ServiceAccount deleted',
    situation: async (scene) => {
      const serviceAccount = await scene.serviceAccount();
      const token = await podToken(scene);
      await serviceAccount.delete();
      return { token };
    },
    waitMs: AFTER_THE_LAG_MS,
    expected: refused('[invalid bearer token, serviceaccounts "web" not found]'),
  },
  {
    name: 'Pod: its ServiceAccount made anew',
    situation: async (scene) => {
      const serviceAccount = await scene.serviceAccount();
      const token = await podToken(scene);
      await serviceAccount.delete();
      await scene.serviceAccount();
      return { token };
    },
    waitMs: AFTER_THE_LAG_MS,
    expected: refused(
      '[invalid bearer token, service account UID (<ServiceAccount web #2>) does not match claim (<ServiceAccount web>)]',
    ),
  },
  {
    name: 'Pod and its ServiceAccount deleted: the ServiceAccount is looked up first',
    situation: async (scene) => {
      const serviceAccount = await scene.serviceAccount();
      const pod = await scene.pod('web-1');
      const token = await pod.token(orders);
      await pod.delete();
      await serviceAccount.delete();
      return { token };
    },
    waitMs: AFTER_THE_LAG_MS,
    expected: refused('[invalid bearer token, serviceaccounts "web" not found]'),
  },
  {
    name: 'namespace: deleted, its emptying still to come',
    needsBareServer: true,
    situation: async (scene) => {
      const namespace = await scene.createNamespace();
      const token = await podToken(scene);
      await namespace.delete();
      return { token };
    },
    waitMs: AFTER_THE_LAG_MS,
    expected: accepted({ pod: 'web-1', node: 'node-a' }),
  },
  {
    name: 'namespace: terminating for more than 60 s, which by itself ends no token',
    needsBareServer: true,
    situation: async (scene) => {
      const namespace = await scene.createNamespace();
      const token = await podToken(scene);
      await namespace.delete();
      return { token };
    },
    waitMs: NO_LONGER_COUNTED_MS,
    expected: accepted({ pod: 'web-1', node: 'node-a' }),
  },
  {
    name: 'legacy Secret: deleted',
    needsSecrets: true,
    situation: async (scene) => {
      const { token, secret } = await scene.legacy('old', await scene.serviceAccount());
      await secret.delete();
      return { token, audiences: [] };
    },
    waitMs: AFTER_THE_LAG_MS,
    expected: refused('[invalid bearer token, Token has been invalidated]', { asked: [] }),
  },
  {
    name: 'legacy Secret: terminating, which already ends its token',
    needsSecrets: true,
    situation: async (scene) => {
      const { token, secret } = await scene.legacy('old', await scene.serviceAccount());
      await secret.setFinalizers(['example.com/hold']);
      await secret.delete();
      return { token, audiences: [] };
    },
    waitMs: AFTER_THE_LAG_MS,
    expected: refused('[invalid bearer token, Token has been invalidated]', { asked: [] }),
  },
  {
    name: 'legacy Secret: deleted right after a review, which is remembered',
    needsSecrets: true,
    situation: async (scene) => {
      const { token, secret } = await scene.legacy('old', await scene.serviceAccount());
      await scene.review(token, []);
      await secret.delete();
      return { token, audiences: [] };
    },
    expected: accepted({ legacy: true, secret: 'old', asked: [] }),
  },
  {
    name: 'legacy Secret: its ServiceAccount deleted',
    needsSecrets: true,
    needsBareServer: true,
    situation: async (scene) => {
      const serviceAccount = await scene.serviceAccount();
      const { token } = await scene.legacy('old', serviceAccount);
      await serviceAccount.delete();
      return { token, audiences: [] };
    },
    waitMs: AFTER_THE_LAG_MS,
    expected: refused('[invalid bearer token, serviceaccounts "web" not found]', { asked: [] }),
  },
  {
    name: 'legacy Secret: its ServiceAccount made anew',
    needsSecrets: true,
    needsBareServer: true,
    situation: async (scene) => {
      const serviceAccount = await scene.serviceAccount();
      const { token } = await scene.legacy('old', serviceAccount);
      await serviceAccount.delete();
      await scene.serviceAccount();
      return { token, audiences: [] };
    },
    waitMs: AFTER_THE_LAG_MS,
    expected: refused(
      '[invalid bearer token, ServiceAccount UID (<ServiceAccount web #2>) does not match claim (<ServiceAccount web>)]',
      { asked: [] },
    ),
  },
  {
    name: 'legacy Secret: holds another token by now',
    needsSecrets: true,
    situation: async (scene) => {
      const serviceAccount = await scene.serviceAccount();
      const { token, secret } = await scene.legacy('old', serviceAccount);
      await secret.delete();
      await scene.secret('old', { legacyTokenFor: 'web', data: { token: 'another' } });
      return { token, audiences: [] };
    },
    waitMs: AFTER_THE_LAG_MS,
    expected: refused("[invalid bearer token, Token does not match server's copy]", { asked: [] }),
  },
  {
    name: 'legacy Secret: its token claims no Secret',
    needsSecrets: true,
    situation: async (scene) => {
      const changes = { 'kubernetes.io/serviceaccount/secret.name': undefined };
      const { token } = await scene.legacy('old', await scene.serviceAccount(), changes);
      return { token, audiences: [KUBERNETES_ISSUER] };
    },
    expected: refused('[invalid bearer token, secretName claim is missing]', {
      asked: [KUBERNETES_ISSUER],
      code: 'wrong_audience',
    }),
  },
];
