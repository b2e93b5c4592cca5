import type { WatchState } from '../authentication/revocation-source.ts';

/** What tells of changed rights as they happen. */
export interface PermissionsSource {
  /** Begins to tell, and goes on until it is closed. Whose rights have changed is not said. */
  start(changed: () => void): void;
  /** `undefined` before it was started. */
  readonly state: WatchState | undefined;
  close(): void;
}
