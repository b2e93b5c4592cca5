import type { RequestHandler } from 'express';
import { isGuard } from './guard.ts';
import type { ServiceAccountAuthMiddleware } from './k8s-service-account-auth.ts';
import type { Mode } from './request-context.ts';
import { type MountedHandler, mountedHandlers, untold } from './route-layers.ts';

/** Who comes to a route. */
export interface RouteAccess {
  /** `GET`, …; `ALL` for a route of all methods; `USE` for a handler that was given to `use`. */
  readonly method: string;
  /** As it was given to Express, the paths of its routers in front. */
  readonly path: string;
  /**
   * Whether callers have an identity there: `required`; `optional` or `reported`, by the mode of the middleware in front;
   * `none` where there is none.
   */
  readonly identity: 'required' | 'optional' | 'reported' | 'none';
  /** What the guards in front ask, in their order. */
  readonly guards: readonly string[];
  /** Whether requests without an identity get there. */
  readonly isOpen: boolean;
}

/** What `describeAccess` returns. */
export interface AccessDescription {
  readonly routes: readonly RouteAccess[];
  /** A table for people. */
  toString(): string;
  /** For `JSON.stringify`: the routes. */
  toJSON(): readonly RouteAccess[];
}

/**
 * Every route of an Express 4 or 5 app with the guards on it, so that a reviewer sees what is open. Call it once all routes
 * are there. Handlers given to `use` that are no guards show as well, as they may answer too; what is inside of an app
 * that is mounted in another does not.
 *
 * @throws {TypeError} where it is no Express app or router with routes
 */
export function describeAccess(app: unknown): AccessDescription {
  const passed: Passed[] = [];
  const routes = mountedHandlers(app).flatMap((mounted) => {
    const own = mounted.handlers.filter(isOurs);
    if (mounted.method === 'USE' && own.length > 0) {
      passed.push({ path: mounted.path, handlers: own });
      return [];
    }
    const before = passed.filter(covers(mounted.path)).flatMap(({ handlers }) => handlers);
    return isForErrors(mounted) ? [] : [accessTo(mounted, [...before, ...own])];
  });
  return Object.freeze({
    routes: Object.freeze(routes),
    toString: () => tableOf(routes),
    toJSON: () => routes,
  });
}

/** Our own handlers, where they were given to `use`. */
interface Passed {
  readonly path: string;
  readonly handlers: readonly RequestHandler[];
}

const isMiddleware = (handler: RequestHandler): handler is RequestHandler & ServiceAccountAuthMiddleware =>
  'authenticator' in handler && 'mode' in handler;

const isOurs = (handler: RequestHandler): boolean => isGuard(handler) || isMiddleware(handler);

/** Express knows them by their four parameters. */
const isForErrors = ({ handlers }: MountedHandler): boolean => handlers.every((handler) => handler.length === 4);

/** Where it is not certain that a handler was passed, it counts for nothing: a route may look more open than it is. */
const covers =
  (path: string) =>
  ({ path: mount }: Passed): boolean =>
    mount === '/' || (!mount.includes(untold) && (path === mount || path.startsWith(`${mount}/`)));

const identities: Readonly<Record<Mode, RouteAccess['identity']>> = {
  enforce: 'required',
  optional: 'optional',
  report: 'reported',
};

function accessTo({ method, path }: MountedHandler, handlers: readonly RequestHandler[]): RouteAccess {
  // An inner middleware finds out anew, but what an outer one refused does not come so far.
  const modes = handlers.filter(isMiddleware).map(({ mode }) => mode);
  const last = modes.at(-1);
  const guards = handlers.filter(isGuard).map(({ description }) => description);
  return Object.freeze({
    method,
    path,
    identity: last === undefined ? 'none' : identities[last],
    guards: Object.freeze(guards),
    isOpen: !modes.includes('enforce') && (guards.length === 0 || last === 'report'),
  });
}

const words: Readonly<Record<RouteAccess['identity'], string>> = {
  required: 'ServiceAccounts',
  optional: 'anyone',
  reported: 'anyone (reported)',
  none: 'anyone',
};

const titles = ['', 'METHOD', 'PATH', 'WHO', 'GUARDS'];

function tableOf(routes: readonly RouteAccess[]): string {
  const rows = routes.map(({ method, path, identity, guards, isOpen }) => [
    isOpen ? 'open' : '',
    method,
    path,
    isOpen ? words[identity] : words.required,
    guards.join('; '),
  ]);
  const all = [titles, ...rows];
  const widths = titles.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
