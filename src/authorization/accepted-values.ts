import type { ServiceAccountIdentity } from '../authentication/service-account-identity.ts';
import type { Rule } from './rule.ts';

/**
 * Computes the one accepted value from the request. Anything but a non-empty string refuses: a parameter that is
 * missing, or that came twice, must not ask another question than the one meant.
 */
export type ValueOf<Request> = (req: Request) => string | readonly string[] | undefined;

/** What a guard accepts: one or several values, or a function of the request. */
export type AcceptedValues<Request> = readonly [ValueOf<Request>] | readonly (string | readonly string[])[];

export interface ValueRule {
  readonly guardName: string;
  /** The field's word for what is compared. */
  readonly what: string;
  /** Why a value can never match, where it cannot. */
  readonly faultOf?: (value: string) => string | undefined;
  /** What the identity has of it: one, several, or none. */
  readonly of: (identity: ServiceAccountIdentity) => OwnValues;
}

type OwnValues = string | undefined | readonly (string | undefined)[];

/**
 * A rule that an identity's value be among the accepted ones.
 *
 * @throws {TypeError} for no values, an empty or undefined one, or one that can never match
 */
export function acceptedValuesRule<Request>(rule: ValueRule, accepted: AcceptedValues<Request>): Rule<Request> {
  const { guardName, what, of } = rule;
  const [first] = accepted;
  if (typeof first === 'function') {
    if (accepted.length > 1) throw new TypeError(`${guardName}: give values or one function of the request, not both`);
    return {
      description: `${what} named by the request`,
      check: (identity, req) => {
        if (req === undefined) throw new TypeError(`${guardName}: check() needs the request for a function of it`);
        const value = first(req);
        return typeof value === 'string' && value !== '' && has(of(identity), value);
      },
    };
  }
  const values = new Set(checkedValues(rule, accepted));
  return {
    description: `${what} ${[...values].join(' or ')}`,
    check: (identity) => hasOneOf(of(identity), values),
  };
}

const has = (owned: OwnValues, value: string): boolean =>
  typeof owned === 'object' ? owned.includes(value) : owned === value;

function hasOneOf(owned: OwnValues, accepted: ReadonlySet<unknown>): boolean {
  return typeof owned === 'object' ? owned.some((value) => accepted.has(value)) : accepted.has(owned);
}

function checkedValues({ guardName, what, faultOf }: ValueRule, accepted: readonly unknown[]): string[] {
  const values = accepted.flat();
  if (values.length === 0) throw new TypeError(`${guardName}: expected at least one ${what}, got none`);
  return values.map((value) => {
    if (typeof value !== 'string' || value === '') {
      // Only its type: a guard's maker passed as a middleware gets the whole request here.
      const got = value === '' ? 'an empty string' : typeof value;
      throw new TypeError(`${guardName}: expected a ${what}, got ${got}. Is an environment variable missing?`);
    }
    const fault = faultOf?.(value);
    if (fault !== undefined) throw new TypeError(`${guardName}: ${JSON.stringify(value)} ${fault}`);
    return value;
  });
}
