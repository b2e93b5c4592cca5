import { anyRule } from '../authorization/combined-rules.ts';
import { checkedGuards } from './checked-guards.ts';
import { type Guard, guardOf, type ProvenByAny } from './guard.ts';

/**
 * Allows what at least one of the guards allows. They are asked in order, and no further than needed.
 *
 * @throws {TypeError} for no guards, or something that is none
 */
export function anyOf<const Guards extends readonly Guard[]>(...guards: Guards): Guard<ProvenByAny<Guards>> {
  return guardOf(anyRule(checkedGuards('anyOf', guards)));
}
