import { type Guard, isGuard } from './guard.ts';

/** @throws {TypeError} for no guards, or something that is none: it would allow or refuse everyone */
export function checkedGuards(functionName: string, guards: readonly unknown[]): readonly Guard[] {
  if (guards.length === 0) throw new TypeError(`${functionName}: expected at least one guard, got none`);
  return guards.map((guard, index) => {
    if (isGuard(guard)) return guard;
    const hint = typeof guard === 'function' ? ' If it makes guards, call it.' : '';
    throw new TypeError(`${functionName}: argument ${index + 1} is not a guard.${hint}`);
  });
}
