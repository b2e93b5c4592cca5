import type { Clock } from '../authentication/clock.ts';
import type { Log } from '../authentication/log.ts';
import type { WatchState } from '../authentication/revocation-source.ts';
import type { PermissionsSource } from '../authorization/permissions-source.ts';
import type { ApiServer } from './api-server.ts';
import { ResourceWatch, type ResourceWatchParts } from './resource-watch.ts';
import { permissionsWatchGrant } from './watch-rights.ts';
import { WatchTrouble } from './watch-trouble.ts';
import { worstState } from './worst-state.ts';

const kinds = ['Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding'] as const;

/** The lifetimes of decisions do not hang on proofs of life, so that this only finds connections that are dead. */
const timeoutSeconds = 30;

/**
 * The first change is told at once, and whatever else changes within this time is told together at its end: what is
 * decided meanwhile comes to its end, however many Roles a deployment brings.
 */
const togetherMs = 50;

/**
 * Watches of all that RBAC decides by. Those of all namespaces, whosesoever callers are known: a question may be about
 * any. What changed is not looked into, as metadata does not say.
 */
export class PermissionsWatch implements PermissionsSource {
  readonly #watches: readonly ResourceWatch[];
  readonly #covering = new Set<ResourceWatch>();
  #changed: () => void = () => {};
  #hasStarted = false;
  /** Whether each has begun, or failed to: until then nothing that was decided can be held to be told of. */
  #hasBegun = false;
  #timer: NodeJS.Timeout | undefined;
  #isMoreToTell = false;
  #isClosed = false;

  constructor(apiServer: ApiServer, clock: Clock, log: Log) {
    const trouble = new WatchTrouble(log, {
      forbidden: 'permissions_watch_forbidden',
      regained: 'changed rights are noticed again',
    });
    const parts: ResourceWatchParts = {
      apiServer,
      clock,
      grantTo: permissionsWatchGrant,
      timeoutSeconds,
      report: (watch, failure) => {
        trouble.report(watch, failure);
        this.#noticeGap(watch);
      },
    };
    this.#watches = kinds.map((kind) => new ResourceWatch({ kind, namespace: undefined }, parts));
  }

  get state(): WatchState | undefined {
    return this.#hasStarted ? worstState(this.#watches) : undefined;
  }

  start(changed: () => void): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    this.#changed = changed;
    for (const watch of this.#watches) watch.start(() => this.#tell());
    void Promise.all(this.#watches.map((watch) => watch.ready())).then(() => {
      this.#hasBegun = true;
      this.#tell();
    });
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const watch of this.#watches) watch.close();
  }

  /** What happened before a watch began anew is told by nobody. One that is only interrupted tells it later. */
  #noticeGap(watch: ResourceWatch): void {
    if (!watch.isCovering) {
      this.#covering.delete(watch);
    } else if (!this.#covering.has(watch)) {
      this.#covering.add(watch);
      if (this.#hasBegun) this.#tell();
    }
  }

  #tell(): void {
    if (this.#isClosed) return;
    if (this.#timer !== undefined) {
      this.#isMoreToTell = true;
      return;
    }
    this.#changed();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#isMoreToTell) return;
      this.#isMoreToTell = false;
      this.#tell();
    }, togetherMs).unref();
  }
}
