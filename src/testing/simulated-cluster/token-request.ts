import { z } from 'zod';
import type { KubernetesObject } from '../cluster-client/kubernetes-object.ts';
import type { TokenAuthority } from './authenticate.ts';
import type { Ref } from './claims.ts';
import { decode } from './decode.ts';
import { issueToken, type TokenContent } from './issue-token.ts';
import { NODE, POD, SECRET, SERVICE_ACCOUNT } from './kinds.ts';
import { badRequest, conflict, invalid, otherNamespace } from './status.ts';
import type { Store } from './store.ts';
import { timestamp } from './timestamp.ts';

const GROUP = 'authentication.k8s.io';
const schema = z.object({
  metadata: z
    .object({ name: z.string().optional(), namespace: z.string().optional(), uid: z.string().optional() })
    .optional(),
  spec: z
    .object({
      audiences: z.array(z.string()).optional(),
      expirationSeconds: z.int().optional(),
      boundObjectRef: z
        .object({
          kind: z.string().optional(),
          apiVersion: z.string().optional(),
          name: z.string().optional(),
          uid: z.string().optional(),
        })
        .optional(),
    })
    .optional(),
});

type BoundObjectRef = NonNullable<NonNullable<z.output<typeof schema>['spec']>['boundObjectRef']>;

const MIN_SECONDS = 600;
const MAX_SECONDS = 2 ** 32;
/** What the ServiceAccount admission plugin writes into projected volumes; only such a token is extended. */
const WARN_ONLY_SECONDS = 3607;
const EXTENDED_SECONDS = 365 * 24 * 60 * 60;

/** POST …/serviceaccounts/NAME/token */
export function requestToken(authority: TokenAuthority, namespace: string, name: string, body: unknown): object {
  const { metadata = {}, spec = {} } = decode(schema, 'TokenRequest', body);
  if ((metadata.namespace || namespace) !== namespace) throw otherNamespace();
  if ((metadata.name || name) !== name) {
    const message = `Invalid value: "${metadata.name}": must match the service account name if specified`;
    throw invalid('TokenRequest', GROUP, name, [{ field: 'metadata.name', reason: 'FieldValueInvalid', message }]);
  }
  const serviceAccount = authority.etcd.require(SERVICE_ACCOUNT, namespace, name);
  const { uid } = serviceAccount.metadata;
  if (authority.version.tokenRequestsHaveUids && metadata.uid && metadata.uid !== uid) {
    const why = `the UID in the token request (${metadata.uid}) does not match the UID of the service account (${uid})`;
    throw conflict({ group: GROUP, resource: 'TokenRequest' }, name, why);
  }
  const { expirationSeconds = 3600, boundObjectRef } = spec;
  checkExpiration(expirationSeconds);
  const audiences = spec.audiences?.length ? spec.audiences : authority.apiAudiences;
  const bound = boundObjectRef ? bindTo(authority.etcd, namespace, name, boundObjectRef) : {};
  const extended =
    bound.pod !== undefined &&
    expirationSeconds === WARN_ONLY_SECONDS &&
    audiences.every((audience) => authority.apiAudiences.includes(audience));

  const now = authority.clock.now();
  const token = issueToken(authority, {
    namespace,
    serviceaccount: { name, uid },
    ...bound,
    audiences,
    expirationSeconds: extended ? EXTENDED_SECONDS : expirationSeconds,
    ...(extended && { warnAfterSeconds: expirationSeconds }),
  });
  return {
    kind: 'TokenRequest',
    apiVersion: `${GROUP}/v1`,
    metadata: {
      name,
      namespace,
      ...(authority.version.tokenRequestsHaveUids && { uid }),
      creationTimestamp: timestamp(now),
    },
    spec: { audiences, expirationSeconds, boundObjectRef: boundObjectRef ?? null },
    status: { token, expirationTimestamp: timestamp(now + expirationSeconds * 1000) },
  };
}

function checkExpiration(seconds: number): void {
  const limit = seconds < MIN_SECONDS ? 'less than 10 minutes' : 'larger than 2^32 seconds';
  if (seconds >= MIN_SECONDS && seconds <= MAX_SECONDS) return;
  const message = `Invalid value: ${seconds}: may not specify a duration ${limit}`;
  const field = 'spec.expirationSeconds';
  throw invalid('TokenRequest', GROUP, '', [{ field, reason: 'FieldValueInvalid', message }]);
}

function bindTo(
  store: Store,
  namespace: string,
  serviceAccountName: string,
  { kind = '', apiVersion = '', name = '', uid }: BoundObjectRef,
): Pick<TokenContent, 'pod' | 'node' | 'secret'> {
  const checked = (object: KubernetesObject): KubernetesObject => {
    if (!uid || object.metadata.uid === uid) return object;
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict({ group: '', resource: kind }, name, why);
  };
  if (!apiVersion.includes('/') && ['Secret', 'Node', 'Pod'].includes(kind)) {
    if (!name) throw badRequest('Name parameter required.');
    if (kind === 'Secret') return { secret: refTo(checked(store.require(SECRET, namespace, name))) };
    if (kind === 'Node') return { node: refTo(checked(store.require(NODE, undefined, name))) };
    const pod = store.require(POD, namespace, name);
    if (pod.spec?.serviceAccountName !== serviceAccountName) {
      throw badRequest(
        `cannot bind token for serviceaccount "${serviceAccountName}" to pod running with different serviceaccount name.`,
      );
    }
    return { pod: refTo(checked(pod)), ...nodeOf(store, pod) };
  }
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
}

/** A Node that does not exist is named without a uid. */
function nodeOf(store: Store, pod: KubernetesObject): Pick<TokenContent, 'node'> {
  const name = pod.spec?.nodeName;
  if (!name) return {};
  const node = store.get(NODE, undefined, name);
  return { node: node ? refTo(node) : { name } };
}

function refTo({ metadata: { name, uid } }: KubernetesObject): Ref {
  return { name, uid };
}
