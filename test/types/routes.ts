import express from 'express';
import { expectTypeOf } from 'expect-type';
import {
  allOf,
  anyOf,
  type BoundPod,
  k8sServiceAccountAuth,
  type NodeReference,
  type ObjectReference,
  requireBoundPod,
  requireIdentity,
  requireNamespace,
  requireNode,
  type ServiceAccountIdentity,
  serviceAccountOf,
} from '../../src/index.ts';

// Compiled, never run: what does not compile as it says here fails `npm run typecheck`.
const app = express();
app.use(k8sServiceAccountAuth({ audiences: 'orders' }));

app.get('/orders/:id', requireNamespace('shop'), requireBoundPod(), (req, res) => {
  expectTypeOf(req.params.id).toEqualTypeOf<string>();
  expectTypeOf(req.serviceAccount.name).toEqualTypeOf<string>();
  expectTypeOf(req.serviceAccount.pod).toEqualTypeOf<ObjectReference>();
  expectTypeOf(req.serviceAccount.boundTo.kind).toEqualTypeOf<'Pod'>();
  // @ts-expect-error: no guard proves a Node
  expectTypeOf(req.serviceAccount.node.name);
  // @ts-expect-error: the route has no such parameter
  expectTypeOf(req.params.other);
  res.json({ id: req.params.id });
});

app.get('/open', (req, res) => {
  expectTypeOf(req.serviceAccount).toEqualTypeOf<ServiceAccountIdentity | undefined>();
  expectTypeOf(serviceAccountOf(req)).toEqualTypeOf<ServiceAccountIdentity>();
  res.end();
});

app.route('/nodes/:node').get(
  allOf(
    requireNode((req) => req.params['node']),
    requireBoundPod(),
  ),
  async (req, res) => {
    expectTypeOf(req.params.node).toEqualTypeOf<string>();
    expectTypeOf(req.serviceAccount.node).toExtend<NodeReference>();
    expectTypeOf(req.serviceAccount.pod).toEqualTypeOf<ObjectReference>();
    res.end();
  },
);

app.get('/either', anyOf(requireNode('a'), requireBoundPod()), (req, res) => {
  expectTypeOf(req.serviceAccount.name).toEqualTypeOf<string>();
  // @ts-expect-error: the Node's guard may have let it through
  expectTypeOf(req.serviceAccount.pod.name);
  res.end();
});

type Canary = ServiceAccountIdentity & { readonly name: 'canary' };
const isCanary = (identity: ServiceAccountIdentity): identity is Canary => identity.name === 'canary';
app.get('/canary', requireIdentity(isCanary), (req, res) => {
  expectTypeOf(req.serviceAccount.name).toEqualTypeOf<'canary'>();
  res.end();
});

app.use('/sub', requireBoundPod(), (req, _res, next) => {
  expectTypeOf(req.serviceAccount).toExtend<ServiceAccountIdentity | undefined>();
  next();
});

app.get('/inline', k8sServiceAccountAuth({ mode: 'optional' }), (req, res) => {
  expectTypeOf(req.serviceAccount).toEqualTypeOf<ServiceAccountIdentity | undefined>();
  res.end();
});

// Other middleware keeps the types that Express gives, behind generic calls too, with or without a guard in front.
declare function validate<Body>(body: Body): express.RequestHandler<{ id: string }, unknown, Body>;
app.put('/orders/:id', validate({ amount: 1 }), (req, res) => {
  expectTypeOf(req.body).toEqualTypeOf<{ amount: number }>();
  expectTypeOf(req.params).toEqualTypeOf<{ id: string }>();
  res.end();
});
app.put('/orders/:id', requireBoundPod(), validate({ amount: 1 }), (req, res) => {
  expectTypeOf(req.body).toEqualTypeOf<{ amount: number }>();
  expectTypeOf(serviceAccountOf(req)).toEqualTypeOf<ServiceAccountIdentity>();
  res.end();
});
app.get('/static', express.static('public'), (_req, res) => {
  res.end();
});

// Guards in a list, or several handlers: Express' own types, where serviceAccountOf() helps.
app.get('/list/:id', [requireNamespace('shop')], (req: express.Request, res: express.Response) => {
  expectTypeOf(serviceAccountOf(req).name).toEqualTypeOf<string>();
  res.end();
});

expectTypeOf<BoundPod['kind']>().toEqualTypeOf<'Pod'>();

// @ts-expect-error: no such option
k8sServiceAccountAuth({ audience: 'orders' });
const authenticator = {
  authenticate: async (): Promise<ServiceAccountIdentity> => Promise.reject(new Error('nobody')),
};
k8sServiceAccountAuth({ authenticator });
// @ts-expect-error: an authenticator brings its own audiences
k8sServiceAccountAuth({ audiences: 'orders', authenticator });
// @ts-expect-error: an environment variable may be missing
requireNamespace(process.env['NAMESPACE']);
// @ts-expect-error: not a guard
anyOf(requireBoundPod);

expectTypeOf(k8sServiceAccountAuth().authenticator.status().state).toEqualTypeOf<'open' | 'closed'>();
