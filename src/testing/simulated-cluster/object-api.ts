import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { KubernetesObject } from '../cluster-client/kubernetes-object.ts';
import type { SimulatedClock } from './clock.ts';
import { continueToken } from './continue-token.ts';
import { decode } from './decode.ts';
import { deleteObject, isReleased } from './deletion.ts';
import { generatedName } from './generated-name.ts';
import { CLUSTER_ROLE, type Kind, NAMESPACE, NODE, POD, RBAC_GROUP, ROLE, SECRET, SERVICE_ACCOUNT } from './kinds.ts';
import type { VersionTraits } from './kubernetes-version.ts';
import type { ListOptions } from './list-options.ts';
import { mergePatch } from './merge-patch.ts';
import { withNodeDefaults } from './node-defaults.ts';
import { withPodDefaults } from './pod-defaults.ts';
import { deleteOptionsSchema, type ObjectInput, objectSchema } from './object-schema.ts';
import {
  badRequest,
  conflict,
  expired,
  expiredContinue,
  forbidden,
  otherNamespace,
  type Status,
  success,
  tooLargeVersion,
} from './status.ts';
import type { Store } from './store.ts';
import { timestamp } from './timestamp.ts';
import { validateChange, validateObject } from './validate-object.ts';

const VERSION_TOO_OLD = 'The resourceVersion for the provided list is too old.';
const IMMORTAL_NAMESPACES = new Set(['default', 'kube-system', 'kube-public']);

export interface ObjectApiOptions {
  readonly store: Store;
  /** Where lists come from that may be a little old. */
  readonly cache: Store;
  readonly clock: SimulatedClock;
  readonly version: VersionTraits;
  /** The ServiceAccount admission plugin: a Pod's ServiceAccount must exist, and is `default` by default. */
  readonly requireServiceAccounts: boolean;
}

export interface ObjectList {
  readonly metadata: {
    readonly resourceVersion: string;
    /** Where the next list goes on, if there is more. */
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
  readonly items: readonly KubernetesObject[];
}

/** Creating, reading, changing and deleting the objects of the store, with Kubernetes' answers. */
export class ObjectApi {
  readonly #options: ObjectApiOptions;

  constructor(options: ObjectApiOptions) {
    this.#options = options;
  }

  create(kind: Kind, namespace: string, body: unknown): KubernetesObject {
    const { store, clock, version } = this.#options;
    const input = this.#read(kind, namespace, body);
    const prefix = input.metadata?.generateName;
    const name = input.metadata?.name || (prefix ? generatedName(prefix) : '');
    this.requireLivingNamespace(kind, namespace, name);
    const object = withDefaults(kind, name, this.#admitted(kind, namespace, name, input));
    validateObject(kind, name, object, version);
    return store.create(kind, {
      ...object,
      status: INITIAL_STATUS.get(kind) ?? object.status,
      kind: kind.kind,
      apiVersion: kind.apiVersion,
      metadata: {
        ...object.metadata,
        ...withoutEmpty(object.metadata),
        name,
        ...(kind.namespaced && { namespace }),
        uid: randomUUID(),
        resourceVersion: '',
        generation: kind === POD ? 1 : undefined,
        creationTimestamp: timestamp(clock.now()),
        deletionTimestamp: undefined,
        deletionGracePeriodSeconds: undefined,
      },
    });
  }

  get(kind: Kind, namespace: string, name: string): KubernetesObject {
    return this.#options.store.require(kind, namespace, name);
  }

  /** Throws Kubernetes' 410 for a version that is forgotten, and its 504 for one that is not yet reached. */
  list(kind: Kind, namespace: string, options: ListOptions): ObjectList {
    const { selects, limit, continueFrom, exact } = options;
    const store = options.version === undefined || exact ? this.#options.store : this.#options.cache;
    if ((options.version ?? 0) > store.version) throw tooLargeVersion(options.version ?? 0, store.version);
    // The version -1 is that of an expired token's successor: whatever there is now.
    const pinned = continueFrom && continueFrom.version >= 0 ? continueFrom.version : undefined;
    const version = pinned ?? (exact ? options.version : undefined) ?? store.version;
    const objects = store.listAt(version, kind, namespace || undefined);
    if (!objects)
      throw continueFrom
        ? expiredContinue(continueToken({ version: -1, start: continueFrom.start }))
        : expired(VERSION_TOO_OLD);
    const keyOf = ({ metadata }: KubernetesObject): string =>
      kind.namespaced && namespace === '' ? `${metadata.namespace}/${metadata.name}` : metadata.name;
    const rest = objects.filter((object) => selects(object) && (!continueFrom || keyOf(object) >= continueFrom.start));
    // An API server answers from its memory what may be old, and then has no use for limits.
    const items = limit > 0 && options.version !== 0 ? rest.slice(0, limit) : rest;
    const last = items.at(-1);
    const more = rest.length - items.length;
    return {
      metadata: {
        resourceVersion: String(version),
        ...(more > 0 && !options.isSelective && { remainingItemCount: more }),
        ...(more > 0 && last && { continue: continueToken({ version, start: `/${keyOf(last)}\0` }) }),
      },
      items,
    };
  }

  replace(
    kind: Kind,
    namespace: string,
    name: string,
    body: unknown,
  ): { readonly object: KubernetesObject; readonly created: boolean } {
    const input = this.#readNamed(kind, namespace, name, body);
    // Only roles and bindings may come to be by a PUT.
    if (kind.group === RBAC_GROUP && !this.#options.store.get(kind, namespace, name)) {
      return { object: this.create(kind, namespace, body), created: true };
    }
    const current = this.get(kind, namespace, name);
    const { uid = current.metadata.uid } = input.metadata ?? {};
    if (uid !== current.metadata.uid) {
      const precondition = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`;
      const storage = `StorageError: invalid object, Code: 4, Key: ${storageKey(kind, namespace, name)}, ResourceVersion: 0`;
      throw conflict(kind, name, `${storage}, AdditionalErrorMsg: ${precondition}`);
    }
    return { object: this.#change(kind, current, input), created: false };
  }

  /** PUT of the subresource `status`: takes the status, and the metadata along with it, but no specification. */
  replaceStatus(kind: Kind, namespace: string, name: string, body: unknown): KubernetesObject {
    const input = this.#readNamed(kind, namespace, name, body);
    const current = this.get(kind, namespace, name);
    return this.#change(
      kind,
      { ...current, status: statusFrom(kind, current, input) },
      { ...input, spec: current.spec },
    );
  }

  /** A JSON merge patch (RFC 7386). */
  patch(kind: Kind, namespace: string, name: string, body: unknown): KubernetesObject {
    const current = this.get(kind, namespace, name);
    return this.#change(kind, current, decode(objectSchema, kind.kind, mergePatch(current, body)));
  }

  delete(kind: Kind, namespace: string, name: string, body: unknown): KubernetesObject | Status {
    const { store, clock } = this.#options;
    const options = decode(deleteOptionsSchema, 'DeleteOptions', body);
    const object = this.get(kind, namespace, name);
    const { uid } = object.metadata;
    const wanted = options.preconditions?.uid;
    if (wanted && wanted !== uid) {
      const why = `the UID in the precondition (${wanted}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`;
      throw conflict({ group: '', resource: kind.kind }, name, why);
    }
    if (kind === NAMESPACE) return this.#terminateNamespace(object);
    const deleted = deleteObject(store, kind, object, clock.now(), options.gracePeriodSeconds);
    return !deleted.gone || kind === POD || kind === SERVICE_ACCOUNT ? deleted.object : success(kind, name, uid);
  }

  deleteAll(kind: Kind, namespace: string, listOptions: ListOptions, body: unknown): ObjectList {
    const { store, clock } = this.#options;
    const { gracePeriodSeconds } = decode(deleteOptionsSchema, 'DeleteOptions', body);
    const list = this.list(kind, namespace, listOptions);
    for (const object of list.items) deleteObject(store, kind, object, clock.now(), gracePeriodSeconds);
    return list;
  }

  /** The admission plugin NamespaceLifecycle, for whatever is created in a namespace. */
  requireLivingNamespace(kind: Kind, namespace: string, name: string): void {
    if (!kind.namespaced) return;
    const { metadata } = this.#options.store.require(NAMESPACE, undefined, namespace);
    if (metadata.deletionTimestamp === undefined) return;
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    const message = `namespace ${namespace} is being terminated`;
    throw forbidden(kind, name, why, [{ reason: 'NamespaceTerminating', message, field: 'metadata.namespace' }]);
  }

  #read(kind: Kind, namespace: string, body: unknown): ObjectInput {
    const input = decode(objectSchema, kind.kind, body);
    if (kind.namespaced && (input.metadata?.namespace || namespace) !== namespace) {
      throw otherNamespace();
    }
    return input;
  }

  #readNamed(kind: Kind, namespace: string, name: string, body: unknown): ObjectInput {
    const input = this.#read(kind, namespace, body);
    if (input.metadata?.name) return input;
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  }

  #change(kind: Kind, current: KubernetesObject, input: ObjectInput): KubernetesObject {
    const { store, version } = this.#options;
    const { metadata } = current;
    const { name } = metadata;
    if ((input.metadata?.name ?? name) !== name) {
      throw badRequest(`the name of the object (${input.metadata?.name}) does not match the name on the URL (${name})`);
    }
    const basis = input.metadata?.resourceVersion;
    if (basis && basis !== metadata.resourceVersion) {
      const why = 'the object has been modified; please apply your changes to the latest version and try again';
      throw conflict(kind, name, why);
    }
    const object = withDefaults(kind, name, input);
    validateObject(kind, name, object, version);
    validateChange(kind, current, object, version);
    const { namespace, uid, generation, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds } = metadata;
    const changed: KubernetesObject = {
      ...object,
      status: current.status,
      kind: current.kind,
      apiVersion: current.apiVersion,
      metadata: {
        ...object.metadata,
        ...withoutEmpty(object.metadata),
        name,
        namespace,
        uid,
        resourceVersion: metadata.resourceVersion,
        generation:
          generation === undefined || isDeepStrictEqual(current.spec, object.spec) ? generation : generation + 1,
        creationTimestamp,
        deletionTimestamp,
        deletionGracePeriodSeconds,
      },
    };
    // Whoever takes the last finalizer away completes the deletion. Namespaces have one of their own in their spec.
    if (kind === NAMESPACE || !isReleased(changed)) return store.update(kind, changed);
    store.remove(kind, current);
    return changed;
  }

  /** The API server itself only marks a namespace; emptying it is a controller's work. */
  #terminateNamespace(object: KubernetesObject): KubernetesObject {
    const { name, deletionTimestamp } = object.metadata;
    if (IMMORTAL_NAMESPACES.has(name)) throw forbidden(NAMESPACE, name, 'this namespace may not be deleted');
    if (deletionTimestamp !== undefined) return object;
    return this.#options.store.update(NAMESPACE, {
      ...object,
      metadata: { ...object.metadata, deletionTimestamp: timestamp(this.#options.clock.now()) },
      status: { ...object.status, phase: 'Terminating' },
    });
  }

  #admitted(kind: Kind, namespace: string, name: string, input: ObjectInput): ObjectInput {
    if (kind === NODE) return withNodeDefaults(input);
    return kind === POD && this.#options.requireServiceAccounts ? this.#admitPod(namespace, name, input) : input;
  }

  #admitPod(namespace: string, podName: string, pod: ObjectInput): ObjectInput {
    const name = pod.spec?.serviceAccountName || 'default';
    if (this.#options.store.get(SERVICE_ACCOUNT, namespace, name)) {
      return { ...pod, spec: { ...pod.spec, serviceAccountName: name } };
    }
    const why = `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`;
    throw forbidden(POD, podName, why);
  }
}

/** A status that is sent along is ignored where the API server, or a kubelet, is to write it. */
const INITIAL_STATUS = new Map<Kind, KubernetesObject['status']>([
  [NAMESPACE, { phase: 'Active' }],
  [POD, { phase: 'Pending', qosClass: 'BestEffort' }],
]);

function statusFrom(kind: Kind, current: KubernetesObject, input: ObjectInput): KubernetesObject['status'] {
  if (kind === NODE) return withNodeDefaults(input).status;
  const qosClass = current.status?.['qosClass'];
  return { ...input.status, ...(qosClass !== undefined && { qosClass }) };
}

function withDefaults(kind: Kind, name: string, input: ObjectInput): ObjectInput {
  switch (kind) {
    case NAMESPACE:
      return {
        ...input,
        metadata: { ...input.metadata, labels: { ...input.metadata?.labels, 'kubernetes.io/metadata.name': name } },
        spec: { finalizers: ['kubernetes'], ...input.spec },
      };
    case POD:
      return { ...input, spec: withPodDefaults(input.spec) };
    case SECRET: {
      const { stringData = {}, ...secret } = input;
      const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
      const data = { ...secret.data, ...Object.fromEntries(encoded) };
      return { type: 'Opaque', ...secret, data: Object.keys(data).length > 0 ? data : undefined };
    }
    case ROLE:
    case CLUSTER_ROLE:
      return { ...input, rules: input.rules ?? null };
    default:
      return kind.group === RBAC_GROUP ? withApiGroups(input) : input;
  }
}

/** ServiceAccounts are in the core group, whose name is empty. */
function withApiGroups({ subjects, roleRef, ...input }: ObjectInput): ObjectInput {
  return {
    ...input,
    ...(subjects && {
      subjects: subjects.map((subject) =>
        subject.kind === 'ServiceAccount' ? subject : { ...subject, apiGroup: subject.apiGroup ?? RBAC_GROUP },
      ),
    }),
    roleRef: roleRef && { ...roleRef, apiGroup: roleRef.apiGroup ?? RBAC_GROUP },
  };
}

/** Go leaves out what is empty. */
function withoutEmpty({
  labels,
  annotations,
  finalizers,
}: NonNullable<ObjectInput['metadata']> = {}): ObjectInput['metadata'] {
  return {
    labels: Object.keys(labels ?? {}).length > 0 ? labels : undefined,
    annotations: Object.keys(annotations ?? {}).length > 0 ? annotations : undefined,
    finalizers: (finalizers ?? []).length > 0 ? finalizers : undefined,
  };
}

/** etcd's key; Nodes were minions once. */
function storageKey({ namespaced, resource }: Kind, namespace: string, name: string): string {
  const prefix = `/registry/${resource === 'nodes' ? 'minions' : resource}`;
  return namespaced ? `${prefix}/${namespace}/${name}` : `${prefix}/${name}`;
}
