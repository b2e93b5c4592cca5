import type { Request } from 'express';
import { type AcceptedValues, acceptedValuesRule } from '../authorization/accepted-values.ts';
import { type Guard, guardOf } from './guard.ts';

/**
 * Allows ServiceAccounts of these namespaces, or of the one that a function of the request names.
 *
 * @throws {TypeError} for no values, or an undefined or empty one
 */
export function requireNamespace(...namespaces: AcceptedValues<Request>): Guard {
  return guardOf(
    acceptedValuesRule(
      { guardName: 'requireNamespace', what: 'namespace', of: ({ namespace }) => namespace },
      namespaces,
    ),
  );
}
