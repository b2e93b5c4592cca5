import type { Request } from 'express';
import { type AcceptedValues, acceptedValuesRule } from '../authorization/accepted-values.ts';
import { serviceAccountValue } from '../authorization/service-account-value.ts';
import { type Guard, guardOf } from './guard.ts';

/**
 * Allows these ServiceAccounts, each as `namespace/name`, or the one that a function of the request names.
 *
 * @throws {TypeError} for no values, an undefined or empty one, or one that is not `namespace/name`
 */
export function requireServiceAccount(...serviceAccounts: AcceptedValues<Request>): Guard {
  return guardOf(acceptedValuesRule({ guardName: 'requireServiceAccount', ...serviceAccountValue }, serviceAccounts));
}
