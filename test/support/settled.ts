import { setImmediate } from 'node:timers/promises';

/** Resolves once every promise that could settle by itself has done so. */
export async function settled(): Promise<void> {
  await setImmediate();
}
