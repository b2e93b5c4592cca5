import type { UnavailabilityCode } from './errors.ts';

/** Something an operator should know. Never holds a token. */
export interface LogEntry {
  readonly level: 'error' | 'warn' | 'info';
  /** Stable, for filters and alerts; `docs/operations.md` says for each what to do. */
  readonly code:
    | UnavailabilityCode
    | 'no_audiences'
    | 'credential_stale'
    | 'keys_unavailable'
    | 'tls_unverified'
    | 'object_unseen'
    | 'watch_forbidden'
    | 'watch_interrupted'
    | 'watch_live'
    | 'watch_namespace_missing'
    | 'roles_watch_forbidden'
    | 'listener_failed';
  readonly message: string;
}

export type Log = (entry: LogEntry) => void;
