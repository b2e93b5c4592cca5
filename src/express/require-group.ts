import type { Request } from 'express';
import { type AcceptedValues, acceptedValuesRule } from '../authorization/accepted-values.ts';
import { type Guard, guardOf } from './guard.ts';

/**
 * Allows members of these groups, such as `system:serviceaccounts:<namespace>`, or of the one that a function of the
 * request names.
 *
 * @throws {TypeError} for no values, or an undefined or empty one
 */
export function requireGroup(...groups: AcceptedValues<Request>): Guard {
  return guardOf(
    acceptedValuesRule({ guardName: 'requireGroup', what: 'group', of: (identity) => identity.groups }, groups),
  );
}
