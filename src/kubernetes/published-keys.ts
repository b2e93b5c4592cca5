import { JOSEError } from 'jose/errors';
import { compactVerify } from 'jose/jws/compact/verify';
import type { JWK } from 'jose';
import { z } from 'zod';
import type { Clock } from '../authentication/clock.ts';
import type { Log } from '../authentication/log.ts';
import { type Share, Unavailability } from '../authentication/reviewer.ts';
import type { SignatureJudge, SignatureJudgement } from '../authentication/signature-judge.ts';
import { FairQueue, QueueFull } from './fair-queue.ts';
import { wordsOf } from './words-of.ts';

/** A token by an unknown key, and a fetch that failed, make us look again no more often than this. */
const cooldownMs = 30_000;
/** Keys this old are fetched anew beside the request: a withdrawn one should not be trusted to refute for long. */
const maxAgeMs = 600_000;
const maxKeys = 100;

/** One less than the threads that Node has by default: names are looked up and files are read by them too. */
const maxConcurrentChecks = 3;
/** A check takes some 50 µs. */
const maxQueuedChecks = 1_024;

/** Where we cannot ask the API server at all, the review says so. */
const saidByReview = new Set<string>(['configuration_invalid', 'credential_unreadable', 'api_server_unreachable']);

const text = z.string().optional();
const jwkSchema = z.object({ kid: text, kty: z.string(), crv: text, n: text, e: text, x: text, y: text });
// Counted before it is looked into: a list of a million wrong keys would take seconds.
const keySetSchema = z.object({ keys: z.array(z.unknown()).max(maxKeys).pipe(z.array(jwkSchema)) });

const headerSchema = z.object({ kid: z.string().optional() });

interface PublishedKey {
  readonly kid: string | undefined;
  readonly algorithms: readonly string[];
  readonly jwk: JWK;
}

/** The keys that the API server publishes at `/openid/v1/jwks`, for refuting signatures. */
export class PublishedKeys implements SignatureJudge {
  readonly #fetchKeySet: () => Promise<unknown>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #checks = new FairQueue(maxConcurrentChecks, maxQueuedChecks);
  #keys: readonly PublishedKey[] = [];
  #keysFetchedAt: number | undefined;
  #triedAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;

  constructor(fetchKeySet: () => Promise<unknown>, clock: Clock, log: Log) {
    this.#fetchKeySet = fetchKeySet;
    this.#clock = clock;
    this.#log = log;
  }

  get keysFetchedAt(): number | undefined {
    return this.#keysFetchedAt;
  }

  async ready(): Promise<void> {
    await this.#fetch();
  }

  async judge(token: string, share: Share = []): Promise<SignatureJudgement> {
    const age = this.#clock.monotonic() - this.#triedAt;
    if (this.#keysFetchedAt === undefined) await this.#fetchOutsideCooldown();
    else if (age > maxAgeMs) void this.#fetch();
    const kid = keyIdOf(token);
    const isUnknown = kid !== undefined && this.#keysFetchedAt !== undefined && this.#named(kid).length === 0;
    if (isUnknown) await this.#fetchOutsideCooldown();
    if (this.#keys.length === 0) return 'possible';
    const named = kid === undefined ? this.#keys : this.#named(kid);
    const said = await this.#opinions(token, named, share);
    if (said.includes('confirms')) return 'confirmed';
    if (kid === undefined || named.length === 0) return 'unknown_key';
    return said.every((opinion) => opinion === 'refutes') ? 'refuted' : 'possible';
  }

  async #opinions(token: string, keys: readonly PublishedKey[], share: Share): Promise<Opinion[]> {
    if (keys.length === 0) return [];
    try {
      return await this.#checks.run(share, () => opinions(token, keys));
    } catch (error) {
      if (!(error instanceof QueueFull)) throw error;
      throw new Unavailability('review_queue_full', 'Too many signatures are waiting to be checked');
    }
  }

  #named(kid: string): PublishedKey[] {
    return this.#keys.filter((key) => key.kid === kid);
  }

  async #fetchOutsideCooldown(): Promise<void> {
    if (this.#fetching || this.#clock.monotonic() - this.#triedAt >= cooldownMs) await this.#fetch();
  }

  #fetch(): Promise<void> {
    this.#fetching ??= this.#fetchOnce().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetchOnce(): Promise<void> {
    this.#triedAt = this.#clock.monotonic();
    try {
      const { keys } = keySetSchema.parse(await this.#fetchKeySet());
      this.#keys = keys.map(publishedKey);
      this.#keysFetchedAt = this.#clock.now();
    } catch (error) {
      if (error instanceof Unavailability && saidByReview.has(error.code)) return;
      this.#log({
        level: 'warn',
        code: 'keys_unavailable',
        message: `The keys of the API server cannot be had, so forged tokens cost a review each: ${wordsOf(error)}`,
      });
    }
  }
}

/** All that a kind of key can verify, as the API server accepts it, though Kubernetes itself signs with the first. */
const algorithms: ReadonlyMap<string, readonly string[]> = new Map([
  ['RSA', ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
  ['P-256', ['ES256']],
  ['P-384', ['ES384']],
  ['P-521', ['ES512']],
]);

/** The key itself, without what its publisher says that it is for. */
function publishedKey({ kid, kty, crv, n, e, x, y }: z.infer<typeof jwkSchema>): PublishedKey {
  const jwk = kty === 'RSA' ? { kty, n, e } : { kty, crv, x, y };
  return { kid, algorithms: algorithms.get(kty === 'EC' ? (crv ?? '') : kty) ?? [], jwk: jwk as JWK };
}

/** The precheck has made sure that a token's header is a JSON object. */
function keyIdOf(token: string): string | undefined {
  const header = Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString();
  return headerSchema.safeParse(JSON.parse(header)).data?.kid;
}

type Opinion = 'confirms' | 'refutes' | 'cannot tell';

function opinions(token: string, keys: readonly PublishedKey[]): Promise<Opinion[]> {
  return Promise.all(keys.map((key) => opinionOf(token, key)));
}

async function opinionOf(token: string, { jwk, algorithms: accepted }: PublishedKey): Promise<Opinion> {
  if (accepted.length === 0) return 'cannot tell';
  try {
    await compactVerify(token, jwk, { algorithms: [...accepted] });
    return 'confirms';
  } catch (error) {
    // Other errors are about the key: it is none, or shorter than `jose` takes.
    return error instanceof JOSEError ? 'refutes' : 'cannot tell';
  }
}
