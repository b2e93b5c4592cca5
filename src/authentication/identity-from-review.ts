import type { ServiceAccountClaims, UnverifiedClaims } from './claims.ts';
import type { RejectionCode } from './errors.ts';
import { isLabel, isSubdomain } from './kubernetes-names.ts';
import type { Review } from './reviewer.ts';
import type { BoundObject, ServiceAccountIdentity } from './service-account-identity.ts';
import { sharedValue } from './shared-value.ts';
import type { Rejected, Verdict } from './verdict.ts';

const usernamePrefix = 'system:serviceaccount:';
/** What the API server puts before a token's `jti` in `extra`. */
const jtiPrefix = 'JTI=';

/** The keys under which a review's `user.extra` carries what the token is bound to. */
const extraKey = {
  credentialId: 'authentication.kubernetes.io/credential-id',
  podName: 'authentication.kubernetes.io/pod-name',
  podUid: 'authentication.kubernetes.io/pod-uid',
  nodeName: 'authentication.kubernetes.io/node-name',
  nodeUid: 'authentication.kubernetes.io/node-uid',
} as const;

/**
 * Who is calling, from what the API server said. The token's claims may add what the review does not carry (times, the
 * Secret) only because they agree with the review in everything that it does carry.
 */
export function verdictOf(
  review: Review,
  claims: UnverifiedClaims,
  audiences: readonly string[],
  reviewedAt: number,
): Verdict {
  const rejected = (code: RejectionCode, reason: string): Rejected => ({
    rejected: code,
    reason,
    credentialId: claims.jti,
  });
  if (!review.authenticated) return rejected('token_refused', review.error);
  const account = serviceAccountOf(review.username);
  // Static tokens, OIDC users and bootstrap tokens are authenticated too.
  if (account === undefined) {
    return rejected('not_a_service_account', `authenticated as ${review.username.slice(0, 200)}`);
  }
  // An API server with a token authenticator that knows no audiences answers without any: the token is then its own.
  const shared = audiences.length === 0 ? review.audiences : review.audiences.filter((one) => audiences.includes(one));
  if (audiences.length > 0 && shared.length === 0) {
    return rejected('wrong_audience', 'the review names none of our audiences');
  }
  const claimed = claims.serviceAccount;
  if (claimed === undefined) return rejected('claims_mismatch', 'the token claims no ServiceAccount');
  const disagreement = firstDisagreement(review, account, claimed, claims.jti);
  if (disagreement !== undefined) return rejected('claims_mismatch', `review and claims disagree in ${disagreement}`);
  return { identity: frozenIdentity(review, shared, account, claimed, claims, reviewedAt) };
}

interface Account {
  readonly namespace: string;
  readonly name: string;
}

function serviceAccountOf(username: string): Account | undefined {
  if (!username.startsWith(usernamePrefix)) return undefined;
  const [namespace = '', name = '', ...more] = username.slice(usernamePrefix.length).split(':');
  return more.length === 0 && isLabel(namespace) && isSubdomain(name) ? { namespace, name } : undefined;
}

type AuthenticatedReview = Extract<Review, { authenticated: true }>;

function firstDisagreement(
  { uid, extra }: AuthenticatedReview,
  account: Account,
  claimed: ServiceAccountClaims,
  jti: string | undefined,
): string | undefined {
  const credentialId = onlyValue(extra[extraKey.credentialId]);
  const pairs: Readonly<Record<string, readonly [reviewed: string | null | undefined, claimed: string | undefined]>> = {
    'the namespace': [account.namespace, claimed.namespace],
    'the ServiceAccount': [account.name, claimed.name],
    "the ServiceAccount's uid": [uid, claimed.uid],
    'the Pod': [onlyValue(extra[extraKey.podName]), claimed.pod?.name],
    "the Pod's uid": [onlyValue(extra[extraKey.podUid]), claimed.pod?.uid],
    'the Node': [onlyValue(extra[extraKey.nodeName]), claimed.node?.name],
    "the Node's uid": [onlyValue(extra[extraKey.nodeUid]), claimed.node?.uid],
    // Kubernetes before 1.30 issues a `jti` without naming it in the review.
    'the credential ID': [credentialId, credentialId === undefined || jti === undefined ? undefined : jtiPrefix + jti],
  };
  return Object.entries(pairs).find(([, [reviewed, claim]]) => reviewed !== claim)?.[0];
}

/** The value of a list of one, and `null`, which agrees with no claim, for any other list. */
function onlyValue(values: readonly string[] | undefined): string | null | undefined {
  if (values === undefined) return undefined;
  return values.length === 1 ? values[0] : null;
}

function frozenIdentity(
  review: AuthenticatedReview,
  audiences: readonly string[],
  { namespace, name }: Account,
  { pod, node, secret }: ServiceAccountClaims,
  { jti, iat, exp }: UnverifiedClaims,
  reviewedAt: number,
): ServiceAccountIdentity {
  const nodeReference = node && sharedValue({ name: node.name, ...(node.uid !== undefined && { uid: node.uid }) });
  return Object.freeze({
    username: sharedValue(review.username),
    namespace: sharedValue(namespace),
    name: sharedValue(name),
    uid: sharedValue(review.uid),
    groups: sharedValue([...review.groups]),
    audiences: sharedValue([...audiences]),
    boundTo: boundObject(pod, nodeReference, secret),
    ...(pod && { pod: Object.freeze({ name: pod.name, uid: pod.uid }) }),
    ...(nodeReference && { node: nodeReference }),
    ...(jti !== undefined && { credentialId: credentialIdOf(review, jti) }),
    ...(iat !== undefined && { issuedAt: iat * 1000 }),
    ...(exp !== undefined && { expiresAt: exp * 1000 }),
    reviewedAt,
    extra: frozenExtra(review, pod),
  });
}

/** A part of the text that `extra` holds, where it holds one: a text of its own would take twice the memory. */
const credentialIdOf = ({ extra }: AuthenticatedReview, jti: string): string =>
  extra[extraKey.credentialId]?.[0]?.slice(jtiPrefix.length) ?? jti;

/** The texts that the identity has already, where they are the same: they have been compared. */
function frozenExtra(
  { extra }: AuthenticatedReview,
  pod: ServiceAccountClaims['pod'],
): ServiceAccountIdentity['extra'] {
  const frozen = Object.entries(extra).map(([key, values]): [string, readonly string[]] => {
    if (key === extraKey.podName && pod) return [key, Object.freeze([pod.name])];
    if (key === extraKey.podUid && pod) return [key, Object.freeze([pod.uid])];
    return [key, key === extraKey.credentialId ? Object.freeze([...values]) : sharedValue([...values])];
  });
  return Object.freeze(Object.fromEntries(frozen));
}

/** A Pod's token names the Pod's Node as well; it is the Pod that the API server looks up. */
function boundObject(
  pod: ServiceAccountClaims['pod'],
  node: ServiceAccountIdentity['node'],
  secret: ServiceAccountClaims['secret'],
): BoundObject | undefined {
  if (pod) return Object.freeze({ kind: 'Pod', name: pod.name, uid: pod.uid });
  if (secret) {
    return Object.freeze({ kind: 'Secret', name: secret.name, ...(secret.uid !== undefined && { uid: secret.uid }) });
  }
  return node && Object.freeze({ kind: 'Node', ...node });
}
