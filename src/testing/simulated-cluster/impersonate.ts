import type { IncomingHttpHeaders } from 'node:http';
import type { Attributes } from '../cluster-client/access.ts';
import { badRequest } from './status.ts';
import { ANONYMOUS, type User } from './user.ts';

const EXTRA = 'impersonate-extra-';

/**
 * Whom the headers `Impersonate-…` make of the caller (`kubectl --as`); the caller itself without them. `require` throws
 * unless the caller may do that, `impersonate` for each part of the other one's identity. Throws Kubernetes' 400.
 */
export function impersonated(
  caller: User,
  headers: IncomingHttpHeaders,
  require: (attributes: Exclude<Attributes, { path: string }>) => void,
): User {
  const username = text(headers['impersonate-user']);
  const uid = text(headers['impersonate-uid']);
  // Node joins the values of a header that comes several times; groups have no commas.
  const groups = text(headers['impersonate-group'])
    .split(', ')
    .filter((group) => group !== '');
  const extra = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith(EXTRA) ? [[decodeURIComponent(name.slice(EXTRA.length)), text(value)] as const] : [],
  );
  if (username === '') {
    if (uid === '' && groups.length === 0 && extra.length === 0) return caller;
    throw badRequest('requested to impersonate something without impersonating a user name');
  }
  const may = (group: string, resource: string, name: string, namespace = '', subresource = ''): void =>
    require({ verb: 'impersonate', group, resource, subresource, namespace, name });
  const { namespace, name = '' } =
    /^system:serviceaccount:(?<namespace>[^:]+):(?<name>[^:]+)$/.exec(username)?.groups ?? {};
  if (namespace === undefined) may('', 'users', username);
  else may('', 'serviceaccounts', name, namespace);
  for (const group of groups) may('', 'groups', group);
  for (const [key, value] of extra) may('authentication.k8s.io', 'userextras', value, '', key);
  if (uid !== '') may('authentication.k8s.io', 'uids', uid);
  return {
    username,
    ...(uid !== '' && { uid }),
    groups: withImplied(username, groups, namespace),
    ...(extra.length > 0 && { extra: Object.fromEntries(extra.map(([key, value]) => [key, [value]])) }),
  };
}

function withImplied(username: string, groups: readonly string[], namespace: string | undefined): readonly string[] {
  if (username === ANONYMOUS.username) return groups.length > 0 ? groups : ANONYMOUS.groups;
  const own =
    namespace !== undefined && groups.length === 0
      ? ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
      : groups;
  return [...new Set([...own, 'system:authenticated'])];
}

function text(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value?.join(', ') ?? '');
}
