import type { WatchState } from '../authentication/revocation-source.ts';
import type { ResourceWatch } from './resource-watch.ts';

const worstFirst: readonly WatchState[] = ['forbidden', 'interrupted', 'starting', 'live'];

/** How watches that are needed together stand. */
export function worstState(watches: readonly Pick<ResourceWatch, 'state'>[]): WatchState {
  return worstFirst.find((worst) => watches.some(({ state }) => state === worst)) ?? 'starting';
}
