import type { UnavailabilityCode } from './errors.ts';

/** Something an operator should know. Never holds a token. */
export interface LogEntry {
  /** `error`: callers are refused for it; `warn`: something works less well; `info`: it is well again. */
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
    | 'permissions_watch_forbidden'
    | 'listener_failed';
  /** For people: what happened and what to do. Its words may change. */
  readonly message: string;
}

/** Gets what operators should know. What it throws fails no request: the process warns of it, once. */
export type Log = (entry: LogEntry) => void;
