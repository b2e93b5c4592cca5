import { setImmediate } from 'node:timers/promises';

const mostTurns = 1_000_000;

/** Resolves once it holds; fails after so many turns of the event loop that it will not. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; !holds(); turn += 1) {
    if (turn === mostTurns) throw new Error(`Waited in vain until ${String(holds)}`);
    await setImmediate();
  }
}
