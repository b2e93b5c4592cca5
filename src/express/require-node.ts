import type { Request } from 'express';
import type { NodeReference } from '../authentication/service-account-identity.ts';
import { type AcceptedValues, acceptedValuesRule } from '../authorization/accepted-values.ts';
import { type Guard, guardOf } from './guard.ts';

/**
 * Allows tokens that name one of these Nodes, or the one that a function of the request names: for agents that may speak
 * only for their own Node, `requireNode((req) => req.params.node)`. It means the Node that the token names, whether the
 * token is bound to that Node or to a Pod on it. Kubernetes does not check that a Pod's Node still exists.
 *
 * @throws {TypeError} for no values, or an undefined or empty one
 */
export function requireNode(...nodes: AcceptedValues<Request>): Guard<{ readonly node: NodeReference }> {
  return guardOf(acceptedValuesRule({ guardName: 'requireNode', what: 'Node', of: ({ node }) => node?.name }, nodes));
}
