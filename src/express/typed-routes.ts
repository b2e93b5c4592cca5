import type { NextFunction, Request, Response, RouteParameters } from 'express-serve-static-core';
import type { ServiceAccountIdentity } from '../authentication/service-account-identity.ts';
import type { Guard, ProvenByAll } from './guard.ts';

/** A handler behind guards: its request has the identity, with all that the guards prove of it. */
export type GuardedHandler<Params, Proves> = (
  req: Request<Params> & { readonly serviceAccount: ServiceAccountIdentity & Proves },
  res: Response,
  next: NextFunction,
) => unknown;

declare global {
  // How Express' types are extended.
  // oxlint-disable-next-line typescript/no-namespace
  namespace Express {
    interface Request {
      /** Which workload is calling, once `k8sServiceAccountAuth()` has found out. */
      serviceAccount?: ServiceAccountIdentity | undefined;
    }
  }
}

type OnlyGuard<Middleware> = Middleware extends Guard ? Middleware : never;

/**
 * What the handler is to TypeScript while it considers a signature of ours. It gives a handler's parameters their types
 * before it knows whether the call of a generic function in front makes a guard: where it makes none, and Express' own
 * signature will be taken, the handler must have got the types that Express would have given it.
 */
type HandlerBehind<Params, Middlewares extends readonly unknown[]> = Middlewares extends readonly Guard[]
  ? GuardedHandler<Params, ProvenByAll<Middlewares>>
  : Exclude<Middlewares[number], Guard> extends (
        req: infer Req extends Request,
        res: infer Res,
        next: infer Next,
      ) => unknown
    ? (req: Req, res: Res, next: Next) => unknown
    : (req: Request<Params>, res: Response, next: NextFunction) => unknown;

// One to six guards, then one handler that sees what they prove; anything else is left to Express' own signatures. Each
// number of guards has its own: from a rest of guards TypeScript infers no type arguments of generic calls.
declare module 'express-serve-static-core' {
  interface IRouterMatcher<T, Method> {
    <Path extends string, A>(path: Path, a: OnlyGuard<A>, handler: HandlerBehind<RouteParameters<Path>, [A]>): T;
    <Path extends string, A, B>(
      path: Path,
      a: OnlyGuard<A>,
      b: OnlyGuard<B>,
      handler: HandlerBehind<RouteParameters<Path>, [A, B]>,
    ): T;
    <Path extends string, A, B, C>(
      path: Path,
      a: OnlyGuard<A>,
      b: OnlyGuard<B>,
      c: OnlyGuard<C>,
      handler: HandlerBehind<RouteParameters<Path>, [A, B, C]>,
    ): T;
    <Path extends string, A, B, C, D>(
      path: Path,
      a: OnlyGuard<A>,
      b: OnlyGuard<B>,
      c: OnlyGuard<C>,
      d: OnlyGuard<D>,
      handler: HandlerBehind<RouteParameters<Path>, [A, B, C, D]>,
    ): T;
    <Path extends string, A, B, C, D, E>(
      path: Path,
      a: OnlyGuard<A>,
      b: OnlyGuard<B>,
      c: OnlyGuard<C>,
      d: OnlyGuard<D>,
      e: OnlyGuard<E>,
      handler: HandlerBehind<RouteParameters<Path>, [A, B, C, D, E]>,
    ): T;
    <Path extends string, A, B, C, D, E, F>(
      path: Path,
      a: OnlyGuard<A>,
      b: OnlyGuard<B>,
      c: OnlyGuard<C>,
      d: OnlyGuard<D>,
      e: OnlyGuard<E>,
      f: OnlyGuard<F>,
      handler: HandlerBehind<RouteParameters<Path>, [A, B, C, D, E, F]>,
    ): T;
  }

  interface IRouterHandler<T, Route> {
    <A>(a: OnlyGuard<A>, handler: HandlerBehind<RouteParameters<Route>, [A]>): T;
    <A, B>(a: OnlyGuard<A>, b: OnlyGuard<B>, handler: HandlerBehind<RouteParameters<Route>, [A, B]>): T;
    <A, B, C>(
      a: OnlyGuard<A>,
      b: OnlyGuard<B>,
      c: OnlyGuard<C>,
      handler: HandlerBehind<RouteParameters<Route>, [A, B, C]>,
    ): T;
    <A, B, C, D>(
      a: OnlyGuard<A>,
      b: OnlyGuard<B>,
      c: OnlyGuard<C>,
      d: OnlyGuard<D>,
      handler: HandlerBehind<RouteParameters<Route>, [A, B, C, D]>,
    ): T;
    <A, B, C, D, E>(
      a: OnlyGuard<A>,
      b: OnlyGuard<B>,
      c: OnlyGuard<C>,
      d: OnlyGuard<D>,
      e: OnlyGuard<E>,
      handler: HandlerBehind<RouteParameters<Route>, [A, B, C, D, E]>,
    ): T;
    <A, B, C, D, E, F>(
      a: OnlyGuard<A>,
      b: OnlyGuard<B>,
      c: OnlyGuard<C>,
      d: OnlyGuard<D>,
      e: OnlyGuard<E>,
      f: OnlyGuard<F>,
      handler: HandlerBehind<RouteParameters<Route>, [A, B, C, D, E, F]>,
    ): T;
  }
}
