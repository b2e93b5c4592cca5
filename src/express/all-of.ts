import { everyRule } from '../authorization/combined-rules.ts';
import { checkedGuards } from './checked-guards.ts';
import { type Guard, guardOf, type ProvenByAll } from './guard.ts';

/**
 * Allows what all of the guards allow. They are asked in order, and no further than needed.
 *
 * @throws {TypeError} for no guards, or something that is none
 */
export function allOf<const Guards extends readonly Guard[]>(...guards: Guards): Guard<ProvenByAll<Guards>> {
  return guardOf(everyRule(checkedGuards('allOf', guards)));
}
