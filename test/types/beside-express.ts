import express, { type ErrorRequestHandler, type Request, type RequestHandler, type Response } from 'express';
import { expectTypeOf } from 'expect-type';
import {
  type Guard,
  k8sServiceAccountAuth,
  requireBoundPod,
  requireNamespace,
  requireNode,
  type ServiceAccountIdentity,
} from '../../src/index.ts';

// Compiled, never run: Express' own ways of writing routes mean what they meant before, guards or not.
const app = express();
const router = express.Router({ mergeParams: true });

// A guard, and the middleware, are request handlers like any other.
expectTypeOf<Guard>().toExtend<RequestHandler>();
app.use('/orders', k8sServiceAccountAuth({ audiences: 'orders' }), requireBoundPod(), router);

// Handlers written elsewhere, with their own types, stand behind guards.
const plain: RequestHandler = (_req, res) => {
  res.end();
};
const withParams = (req: Request<{ id: string }>, res: Response): void => {
  res.send(req.params.id);
};
app.get('/plain', requireBoundPod(), plain);
app.get('/typed/:id', requireNamespace('shop'), withParams);

// What the guards prove holds on routers, for every method, and with six of them.
const shop = requireNamespace('shop');
router.post('/a/:b', shop, shop, shop, shop, requireNode('node-a'), requireBoundPod(), (req, res) => {
  expectTypeOf(req.params.b).toEqualTypeOf<string>();
  expectTypeOf(req.serviceAccount.node.name).toEqualTypeOf<string>();
  expectTypeOf(req.serviceAccount.pod.uid).toEqualTypeOf<string>();
  res.end();
});
router.all('/all', requireBoundPod(), async (req) => {
  expectTypeOf(req.serviceAccount.pod.name).toEqualTypeOf<string>();
});

// Paths that are no single text, and several handlers behind a guard, fall back to Express' own types.
app.get(/^\/any/, requireBoundPod(), (req, res) => {
  expectTypeOf(req.serviceAccount).toEqualTypeOf<ServiceAccountIdentity | undefined>();
  res.end();
});
app.get(
  '/several/:id',
  requireBoundPod(),
  (_req, _res, next) => next(),
  (req, res) => {
    expectTypeOf(req.params.id).toEqualTypeOf<string>();
    expectTypeOf(req.serviceAccount).toEqualTypeOf<ServiceAccountIdentity | undefined>();
    res.end();
  },
);

// Routes without guards, settings and error handlers are as they were.
app.get('/free/:id', (req, res, next) => {
  expectTypeOf(req.params.id).toEqualTypeOf<string>();
  expectTypeOf(req).toExtend<Request>();
  expectTypeOf(res).toExtend<Response>();
  expectTypeOf(next).toBeFunction();
});
const onError: ErrorRequestHandler = (_error, _req, _res, next) => next();
app.use(onError);
expectTypeOf(app.get('env')).toBeAny();

// @ts-expect-error: values or a function, not both
requireNamespace('shop', () => 'shop');
// @ts-expect-error: what a function finds may come twice, or be anything; a number it is not
requireNode(() => 7);
requireNode((req) => req.params['node']);
