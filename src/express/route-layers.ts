import { isDeepStrictEqual } from 'node:util';
import type { RequestHandler } from 'express';

/** What Express keeps of a handler that was given to `use`, or to a method such as `get`. */
interface Layer {
  readonly handle: RequestHandler & { readonly stack?: readonly Layer[] };
  readonly route?: { readonly path: PathPattern; readonly stack: readonly RouteLayer[] };
  /** Express 5 since 5.3. */
  readonly rawPath?: PathPattern;
  /** Express 4. */
  readonly regexp?: { readonly source: string; readonly fast_star?: boolean };
  readonly keys?: readonly { readonly name: string | number }[];
  /** Express 5: whether it was mounted at `/`. */
  readonly slash?: boolean;
}

interface RouteLayer {
  readonly handle: RequestHandler;
  /** `undefined`: all. */
  readonly method?: string | undefined;
}

/** Strings and regular expressions. */
type PathPattern = string | object | readonly (string | object)[];

/** In the place of a path that Express does not tell. */
export const untold = '…';

/** One handler of an app, in the order in which requests meet them. */
export interface MountedHandler {
  /** In capitals; `ALL` for `all`, `USE` for `use`. */
  readonly method: string;
  /** As it was written, the paths of routers in front; a `…` where Express does not tell, as 5.0 to 5.2 do not. */
  readonly path: string;
  /** Those of a route meet a request one after the other. */
  readonly handlers: readonly RequestHandler[];
}

/**
 * The handlers of an app or router of Express 4 or 5. Apps mounted in an app show as one handler: Express does not let one
 * look into them.
 *
 * @throws {TypeError} for something else
 */
export function mountedHandlers(app: unknown): readonly MountedHandler[] {
  return handlersIn(stackOf(app), '');
}

interface Stacked {
  readonly stack?: unknown;
}

interface App extends Stacked {
  readonly _router?: Stacked;
  readonly router?: Stacked;
}

function stackOf(app: unknown): readonly Layer[] {
  const layers = typeof app === 'function' ? stackIn(app as unknown as App) : undefined;
  if (!Array.isArray(layers)) throw new TypeError('describeAccess: expected an Express app or router with routes');
  return layers as readonly Layer[];
}

/** A router's own, or that of an app's router. In Express 4 `router` throws; there `_router` has it, once there are routes. */
function stackIn(app: App): unknown {
  const { stack, _router: router } = app;
  const layers = stack ?? router?.stack;
  if (layers !== undefined) return layers;
  try {
    return app.router?.stack;
  } catch {
    return undefined;
  }
}

function handlersIn(stack: readonly Layer[], prefix: string): MountedHandler[] {
  return stack.flatMap((layer) => {
    const { route, handle } = layer;
    if (route) return written(route.path).flatMap((path) => ofRoute(route.stack, joined(prefix, path)));
    return mountPaths(layer).flatMap((path) => {
      const whole = joined(prefix, path);
      return Array.isArray(handle.stack)
        ? handlersIn(handle.stack, whole)
        : [{ method: 'USE', path: whole, handlers: [handle] }];
    });
  });
}

function ofRoute(stack: readonly RouteLayer[], path: string): MountedHandler[] {
  const methods = new Set(stack.flatMap(({ method }) => method ?? []));
  const all = { method: 'ALL', path, handlers: stack.map(({ handle }) => handle) };
  if (methods.size === 0) return [all];
  const each = [...methods].map((wanted) => ({
    method: wanted.toUpperCase(),
    path,
    handlers: stack.filter(({ method }) => method === undefined || method === wanted).map(({ handle }) => handle),
  }));
  const handlers = ofEveryMethod(each);
  return handlers === undefined ? each : [{ ...all, handlers }];
}

/** The `all` of an app gives its handlers to each method that Node knows, one after the other. */
function ofEveryMethod(each: readonly MountedHandler[]): readonly RequestHandler[] | undefined {
  // Not imported: to import `node:http` is to load all that it has, the WebSockets of undici too.
  const { METHODS } = process.getBuiltinModule('node:http');
  const handlers = each[0]?.handlers;
  return each.length === METHODS.length && each.every((one) => isDeepStrictEqual(one.handlers, handlers))
    ? handlers
    : undefined;
}

const written = (path: PathPattern): readonly string[] => [path].flat().map(String);

function mountPaths({ rawPath, regexp, keys = [], slash }: Layer): readonly string[] {
  if (rawPath !== undefined) return written(rawPath);
  if (slash === true) return ['/'];
  if (regexp?.fast_star === true) return ['*'];
  if (regexp === undefined) return [untold];
  const names = keys.map(({ name }) => `:${name}`);
  // A list of paths has become one expression.
  return regexp.source.split(/\|(?=\^)/).map((source) => pathOf(source, names));
}

/** What Express 4 has made of a path, back again; the expression itself where it was more than a path with parameters. */
function pathOf(source: string, names: string[]): string {
  const path = source
    .replace(/^\^/, '')
    .replace(/\\\/\?\(\?=\\\/\|\$\)$/, '')
    .replaceAll(parameter, () => `/${names.shift()}`)
    .replaceAll(/\\([/.-])/g, '$1');
  return /^[\w/:.~%-]*$/.test(path) ? path : `/${source}/`;
}

/** `/:name`, in the forms that versions of Express 4 give it. */
const parameter = /\(\?:\\\/\(\[\^\\?\/\]\+\?\)\)|\\\/\(\?:\(\[\^\\?\/\]\+\?\)\)/g;

function joined(prefix: string, path: string): string {
  if (path === '/' || path === '') return prefix === '' ? '/' : prefix;
  const front = prefix === '/' ? '' : prefix;
  return path.startsWith('/') ? front + path : `${front}/${path}`;
}
