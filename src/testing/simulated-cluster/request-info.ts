import { isTrue } from './list-options.ts';

/** What a request asks for, read from its method and path as the API server does. */
export type RequestInfo = ResourceRequest | NonResourceRequest;

export interface ResourceRequest {
  readonly type: 'resource';
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly resource: string;
  readonly name: string;
  readonly subresource: string;
}

export interface NonResourceRequest {
  readonly type: 'nonResource';
  readonly verb: string;
  readonly path: string;
}

const VERBS: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** `path` is percent-decoded. */
export function requestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const nonResource: NonResourceRequest = { type: 'nonResource', verb: method.toLowerCase(), path };
  const [root, ...below] = path.split('/').filter((part) => part !== '');
  const group = root === 'apis' ? below.shift() : '';
  const [version, ...rest] = below;
  if ((root !== 'api' && root !== 'apis') || group === undefined || version === undefined || rest.length === 0) {
    return nonResource;
  }

  // `namespaces/x/pods` names a resource in a namespace; `namespaces/x`, `namespaces/x/finalize` and `…/status` the namespace.
  const [parent, parentName = '', child] = rest;
  const namespace = parent === 'namespaces' ? parentName : '';
  const isWithin = namespace !== '' && child !== undefined && child !== 'finalize' && child !== 'status';
  const [resource = '', name = '', subresource = ''] = isWithin ? rest.slice(2) : rest;
  return {
    type: 'resource',
    verb: verbOf(method, name, query),
    group,
    version,
    namespace,
    resource,
    name,
    subresource,
  };
}

function verbOf(method: string, name: string, query: URLSearchParams): string {
  if (method === 'GET' || method === 'HEAD') {
    if (name) return 'get';
    return isTrue(query.get('watch')) ? 'watch' : 'list';
  }
  if (method === 'DELETE' && !name) return 'deletecollection';
  return VERBS[method] ?? '';
}
