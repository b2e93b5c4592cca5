import type { Rule } from './rule.ts';

/** Allows what at least one of the rules allows; they are asked in order, and no further than needed. */
export function anyRule<Request>(rules: readonly Rule<Request>[]): Rule<Request> {
  return combined('any of', rules, true);
}

/** Allows what all of the rules allow; they are asked in order, and no further than needed. */
export function everyRule<Request>(rules: readonly Rule<Request>[]): Rule<Request> {
  return combined('all of', rules, false);
}

function combined<Request>(words: string, rules: readonly Rule<Request>[], decisive: boolean): Rule<Request> {
  return {
    description: `${words} (${rules.map(({ description }) => description).join(', ')})`,
    check: (identity, req) => {
      const askFrom = (start: number): boolean | Promise<boolean> => {
        for (let index = start; index < rules.length; index++) {
          const allowed = rules[index]?.check(identity, req);
          // Asked synchronously until a rule needs time, so that guards on cached knowledge stay synchronous.
          if (typeof allowed === 'object') {
            return Promise.resolve(allowed).then((late) =>
              (late === true) === decisive ? decisive : askFrom(index + 1),
            );
          }
          if ((allowed === true) === decisive) return decisive;
        }
        return !decisive;
      };
      return askFrom(0);
    },
  };
}
