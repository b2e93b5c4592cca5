import { verify } from 'node:crypto';
import type { KubernetesObject } from '../cluster-client/kubernetes-object.ts';
import type { SimulatedClock } from './clock.ts';
import {
  ClaimTypeError,
  parseBoundClaims,
  parseLegacyClaims,
  type BoundClaims,
  type LegacyClaims,
  type PublicClaims,
} from './claims.ts';
import { NODE, POD, SECRET, SERVICE_ACCOUNT, type Kind } from './kinds.ts';
import { parseToken, type ParsedToken } from './parse-token.ts';
import type { VersionTraits } from './kubernetes-version.ts';
import type { SigningKey } from './signing-key.ts';
import type { Store } from './store.ts';
import { ANONYMOUS, type User } from './user.ts';

export type Verdict =
  | { readonly user: User; readonly audiences: readonly string[] }
  | { readonly user?: undefined; readonly error: string };

/** What tokens are judged by. The arrays and the map may grow while the cluster runs. */
export interface TokenAuthority {
  /** What the API server that judges knows of etcd: not always the latest. */
  readonly store: Store;
  /** What holds all objects, and takes what is written. */
  readonly etcd: Store;
  readonly clock: SimulatedClock;
  readonly version: VersionTraits;
  /** The first one signs. */
  readonly keys: readonly SigningKey[];
  /** The first one issues. */
  readonly issuers: readonly string[];
  readonly apiAudiences: readonly string[];
  /** Tokens of users that are no ServiceAccounts, as in kube-apiserver's `--token-auth-file`. */
  readonly staticUsers: ReadonlyMap<string, User>;
}

const LEEWAY_MS = 60_000;
const CACHE_MS = 10_000;
const LEGACY_ISSUER = 'kubernetes/serviceaccount';
const CRYPTO_FAILURE = 'go-jose/go-jose: error in cryptographic primitive';
const INVALIDATED = 'service account token has been invalidated';

/**
 * Judges an `Authorization` header as kube-apiserver does, for its own callers as for a TokenReview, in the same order
 * and with the same error texts; remembers a success for 10 s and a failure not at all.
 */
export class TokenAuthenticator {
  readonly #authority: TokenAuthority;
  readonly #cache = new Map<string, { readonly verdict: Verdict; readonly until: number }>();

  constructor(authority: TokenAuthority) {
    this.#authority = authority;
  }

  authenticate(authorization: string, audiences: readonly string[]): Verdict {
    const [scheme, token] = authorization.trim().split(' ');
    // Whatever holds no bearer token is anonymous: a TokenReview of a blank too.
    if (scheme?.toLowerCase() !== 'bearer' || !token) return { user: ANONYMOUS, audiences };
    return this.#cached(token, audiences);
  }

  /** Forgets the verdicts it remembers. */
  forget(): void {
    this.#cache.clear();
  }

  #cached(token: string, audiences: readonly string[]): Verdict {
    const now = this.#authority.clock.monotonic();
    for (const [key, { until }] of this.#cache) {
      if (until > now) break; // all live equally long, so the oldest end first
      this.#cache.delete(key);
    }
    const key = JSON.stringify([token, audiences]);
    const known = this.#cache.get(key);
    if (known) return known.verdict;
    const verdict = this.#judge(token, audiences);
    if (verdict.user) this.#cache.set(key, { verdict, until: now + CACHE_MS });
    return verdict;
  }

  #judge(token: string, audiences: readonly string[]): Verdict {
    const staticUser = this.#authority.staticUsers.get(token);
    const served = audiences.filter((audience) => this.#authority.apiAudiences.includes(audience));
    if (staticUser && served.length > 0) return { user: staticUser, audiences: served };

    try {
      return this.#judgeServiceAccount(token, audiences) ?? { error: 'invalid bearer token' };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { error: `[${['invalid bearer token', ...new Set(error.reasons)].join(', ')}]` };
    }
  }

  #judgeServiceAccount(token: string, audiences: readonly string[]): Verdict | undefined {
    const { issuers, apiAudiences } = this.#authority;
    const parsed = parseToken(token);
    if (!parsed) return undefined;
    const legacy = parsed.issuer === LEGACY_ISSUER;
    if (!legacy && !issuers.includes(parsed.issuer)) return undefined;

    const claims = legacy
      ? { legacy: this.#verified(parsed, parseLegacyClaims) }
      : { bound: this.#verified(parsed, parseBoundClaims) };
    const { aud } = claims.legacy ?? claims.bound;
    const tokenAudiences = aud.length > 0 ? aud : apiAudiences;
    const served = audiences.filter((audience) => tokenAudiences.includes(audience));
    if (served.length === 0) {
      throw new Refusal(
        `token audiences ${quoted(tokenAudiences)} is invalid for the target audiences ${quoted(audiences)}`,
      );
    }
    const user = claims.legacy ? this.#legacyUser(claims.legacy, token) : this.#boundUser(claims.bound);
    return { user, audiences: served };
  }

  /** The claims, if any key confirms the signature. */
  #verified<T>(parsed: ParsedToken, read: (claims: unknown) => T): T {
    const { keys } = this.#authority;
    const candidates = parsed.keyId ? keys.filter(({ keyId }) => keyId === parsed.keyId) : keys;
    if (candidates.length === 0) throw new Refusal('invalid signature, no keys found');
    const reasons: string[] = [];
    for (const key of candidates) {
      if (!confirms(key, parsed)) {
        reasons.push(CRYPTO_FAILURE);
        continue;
      }
      try {
        return read(parsed.claims);
      } catch (error) {
        if (!(error instanceof ClaimTypeError)) throw error;
        reasons.push(error.message);
      }
    }
    throw new Refusal(...reasons);
  }

  #boundUser(claims: BoundClaims): User {
    this.#checkTimes(claims);
    const { namespace, serviceaccount, pod, secret, node } = claims['kubernetes.io'];
    this.#checkServiceAccount(namespace, serviceaccount);
    if (secret) this.#checkBoundObject(SECRET, namespace, secret);
    if (pod) this.#checkBoundObject(POD, namespace, pod);
    // The Node of a Pod-bound token is only passed on.
    if (node && !pod) this.#checkBoundObject(NODE, undefined, node);

    const extra = {
      ...(claims.jti && { 'credential-id': `JTI=${claims.jti}` }),
      ...(node?.name && { 'node-name': node.name }),
      ...(node?.name && node.uid && { 'node-uid': node.uid }),
      ...(pod?.name && pod.uid && { 'pod-name': pod.name, 'pod-uid': pod.uid }),
    };
    const entries = Object.entries(extra).map(
      ([key, value]) => [`authentication.kubernetes.io/${key}`, [value]] as const,
    );
    return {
      ...serviceAccountUser(namespace, serviceaccount.name, serviceaccount.uid),
      ...(entries.length > 0 && { extra: Object.fromEntries(entries) }),
    };
  }

  #checkTimes({ nbf, exp, iat }: PublicClaims): void {
    const now = this.#authority.clock.now();
    if (nbf !== undefined && now + LEEWAY_MS < nbf * 1000) throw new Refusal('service account token is not valid yet');
    if (exp !== undefined && now - LEEWAY_MS > exp * 1000) throw new Refusal('service account token has expired');
    if (iat !== undefined && now + LEEWAY_MS < iat * 1000) {
      throw new Refusal('service account token is issued in the future');
    }
  }

  #checkServiceAccount(namespace: string, { name, uid }: { name: string; uid: string }): void {
    if (!name) throw new Refusal('resource name may not be empty');
    const object = this.#lookUp(SERVICE_ACCOUNT, namespace, name);
    if (!object) throw new Refusal(`serviceaccounts "${name}" not found`);
    if (object.metadata.uid !== uid) {
      throw new Refusal(`service account UID (${object.metadata.uid}) does not match claim (${uid})`);
    }
    if (this.#isGone(object.metadata.deletionTimestamp)) {
      throw new Refusal(`service account ${namespace}/${name} has been deleted`);
    }
  }

  #checkBoundObject(kind: Kind, namespace: string | undefined, { name, uid }: { name: string; uid: string }): void {
    const object = this.#lookUp(kind, namespace, name);
    if (!object) throw new Refusal(INVALIDATED);
    if (object.metadata.uid !== uid) {
      const what = kind.kind.toLowerCase();
      throw new Refusal(
        `${what} UID (${object.metadata.uid}) does not match service account ${what} ref claim (${uid})`,
      );
    }
    if (this.#isGone(object.metadata.deletionTimestamp)) throw new Refusal(INVALIDATED);
  }

  /** An API server asks etcd only for what it does not know; what it knows may be gone, or another of that name, by now. */
  #lookUp(kind: Kind, namespace: string | undefined, name: string): KubernetesObject | undefined {
    const { store, etcd } = this.#authority;
    return store.get(kind, namespace, name) ?? etcd.get(kind, namespace, name);
  }

  #isGone(deletionTimestamp: string | undefined): boolean {
    return deletionTimestamp !== undefined && Date.parse(deletionTimestamp) < this.#authority.clock.now() - LEEWAY_MS;
  }

  /** Tokens that live in a Secret: checked against that Secret, without times. */
  #legacyUser(claims: LegacyClaims, token: string): User {
    const namespace = claims['kubernetes.io/serviceaccount/namespace'];
    const secretName = claims['kubernetes.io/serviceaccount/secret.name'];
    const name = claims['kubernetes.io/serviceaccount/service-account.name'];
    const uid = claims['kubernetes.io/serviceaccount/service-account.uid'];
    const required = { sub: claims.sub, namespace, secretName, serviceAccountName: name, serviceAccountUID: uid };
    for (const [claim, value] of Object.entries(required)) if (!value) throw new Refusal(`${claim} claim is missing`);
    if (claims.sub !== `system:serviceaccount:${namespace}:${name}`) throw new Refusal('sub claim is invalid');

    const secret = this.#lookUp(SECRET, namespace, secretName);
    if (!secret || secret.metadata.deletionTimestamp) throw new Refusal('Token has been invalidated');
    if (secret.data?.['token'] !== Buffer.from(token).toString('base64')) {
      throw new Refusal("Token does not match server's copy");
    }
    const serviceAccount = this.#lookUp(SERVICE_ACCOUNT, namespace, name);
    if (!serviceAccount) throw new Refusal(`serviceaccounts "${name}" not found`);
    if (serviceAccount.metadata.deletionTimestamp) {
      throw new Refusal(`ServiceAccount ${namespace}/${name} has been deleted`);
    }
    if (serviceAccount.metadata.uid !== uid) {
      throw new Refusal(`ServiceAccount UID (${serviceAccount.metadata.uid}) does not match claim (${uid})`);
    }
    return serviceAccountUser(namespace, name, uid);
  }
}

/** Why a token that looked like one of ours is refused. */
class Refusal extends Error {
  readonly reasons: readonly string[];

  constructor(...reasons: readonly string[]) {
    super(reasons.join(', '));
    this.reasons = reasons;
  }
}

function confirms({ algorithm, publicKey }: SigningKey, parsed: ParsedToken): boolean {
  if (parsed.algorithm !== algorithm || parsed.unknownCritical) return false;
  return verify('sha256', parsed.signedInput, { key: publicKey, dsaEncoding: 'ieee-p1363' }, parsed.signature);
}

function serviceAccountUser(namespace: string, name: string, uid: string): User {
  return {
    username: `system:serviceaccount:${namespace}:${name}`,
    uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  };
}

/** A list as Go's `%q` prints it. */
function quoted(list: readonly string[]): string {
  return `[${list.map((item) => JSON.stringify(item)).join(' ')}]`;
}
