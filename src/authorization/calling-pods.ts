import { LRUCache } from 'lru-cache';
import type { Clock } from '../authentication/clock.ts';
import type { Log } from '../authentication/log.ts';
import { Unavailability } from '../authentication/reviewer.ts';
import type { ObjectReference, ServiceAccountIdentity } from '../authentication/service-account-identity.ts';
import type { CallingPod, PodDirectory } from './calling-pod.ts';

export interface CallingPodsParts {
  readonly directory: PodDirectory;
  /** How many Pods to remember. */
  readonly maxEntries: number;
  /** For how long what is known of a Pod may be used, in milliseconds. */
  readonly maxAgeMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** However often callers come from other addresses than their Pods', a Pod is looked at anew this often at most. */
const freshLookPauseMs = 1_000;

interface Look {
  /** `undefined`: it is gone, for good: uids never come back. */
  readonly pod: CallingPod | undefined;
  /** On the monotonic clock. */
  readonly began: number;
  /** The reviewed identities that it is new enough for. */
  readonly identities: WeakSet<ServiceAccountIdentity>;
}

interface RunningLook {
  readonly identities: Set<ServiceAccountIdentity>;
  readonly pod: Promise<CallingPod | undefined>;
}

/**
 * The Pods that call, each looked at once per TokenReview, and again after `maxAgeMs` where its identity outlives that. Whoever
 * learns that a Pod has changed calls `forget()`. Errors are never remembered.
 */
export class CallingPods {
  readonly #parts: CallingPodsParts;
  readonly #looks: LRUCache<string, Look>;
  readonly #inFlight = new Map<string, RunningLook>();

  constructor(parts: CallingPodsParts) {
    this.#parts = parts;
    this.#looks = new LRUCache({ max: parts.maxEntries });
  }

  /**
   * The Pod that an identity's token is bound to: synchronous where it is known, `undefined` where it is gone or the token
   * is bound to none. Rejects with an `Unavailability`.
   */
  of(identity: ServiceAccountIdentity): CallingPod | undefined | Promise<CallingPod | undefined> {
    if (identity.pod === undefined) return undefined;
    const look = this.#looks.get(identity.pod.uid);
    const isUsable = look?.identities.has(identity) === true && this.#ageOf(look) < this.#parts.maxAgeMs;
    return isUsable ? look.pod : this.#look(identity, identity.pod);
  }

  /** The same, where what is known does not fit: it may have changed. */
  anew(identity: ServiceAccountIdentity): CallingPod | undefined | Promise<CallingPod | undefined> {
    if (identity.pod === undefined) return undefined;
    const look = this.#looks.get(identity.pod.uid);
    const isFresh = look !== undefined && this.#ageOf(look) < freshLookPauseMs;
    return isFresh ? this.of(identity) : this.#look(identity, identity.pod);
  }

  /** That Pod has changed, or may have: the next who asks looks anew. */
  forget(uid: string): void {
    this.#looks.delete(uid);
    this.#inFlight.delete(uid);
  }

  #ageOf({ began }: Look): number {
    return this.#parts.clock.monotonic() - began;
  }

  #look(identity: ServiceAccountIdentity, reference: ObjectReference): Promise<CallingPod | undefined> {
    const { uid } = reference;
    const running = this.#inFlight.get(uid);
    if (running !== undefined) {
      running.identities.add(identity);
      return running.pod;
    }
    const identities = new Set([identity]);
    const pod = this.#find(identity, reference, identities).finally(() => {
      if (this.#inFlight.get(uid)?.pod === pod) this.#inFlight.delete(uid);
    });
    this.#inFlight.set(uid, { identities, pod });
    return pod;
  }

  async #find(
    caller: ServiceAccountIdentity,
    reference: ObjectReference,
    identities: ReadonlySet<ServiceAccountIdentity>,
  ): Promise<CallingPod | undefined> {
    const { directory, clock, log } = this.#parts;
    const { uid } = reference;
    const began = clock.monotonic();
    try {
      const pod = await directory.find(caller, reference);
      // Unless the Pod was forgotten meanwhile.
      if (this.#inFlight.get(uid)?.identities === identities) {
        const known = this.#looks.get(uid)?.identities ?? new WeakSet();
        for (const identity of identities) known.add(identity);
        this.#looks.set(uid, { pod, began, identities: known });
      }
      return pod;
    } catch (error) {
      const unavailability =
        error instanceof Unavailability
          ? error
          : new Unavailability('reviewer_failed', 'The look at the Pod failed in a way of its own');
      log({ level: 'error', code: unavailability.code, message: unavailability.message });
      throw unavailability;
    }
  }
}
