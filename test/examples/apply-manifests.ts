import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { KubernetesObject, V1ClusterRoleBinding, V1Deployment, V1FlowSchema } from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import type { TestCluster } from '../cluster/conformance/test-cluster.ts';

const folder = path.resolve(import.meta.dirname, '../../examples/orders-service/manifests');

/** All objects of the example's manifests. */
export async function readManifests(): Promise<KubernetesObject[]> {
  const files = (await readdir(folder)).toSorted();
  const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), 'utf8')));
  // Not client-node's own reader, which drops the fields that it does not know.
  return texts.flatMap((text) =>
    parseAllDocuments(text).map((document) => {
      if (document.errors[0]) throw document.errors[0];
      return document.toJS() as KubernetesObject;
    }),
  );
}

export function deploymentNamed(manifests: readonly KubernetesObject[], name: string): V1Deployment {
  const found = manifests.find(({ kind, metadata }) => kind === 'Deployment' && metadata?.name === name);
  if (found === undefined) throw new Error(`The manifests have no Deployment ${name}`);
  return found;
}

export interface AppliedManifests extends AsyncDisposable {
  /** The objects as they were applied. */
  readonly manifests: readonly KubernetesObject[];
  /** A token as the Pod of that Deployment finds it: of its projected volume, or for the API server. */
  podToken(deployment: string): Promise<string>;
}

/**
 * Applies the example's manifests, their namespaces and what belongs to the whole cluster under names of this call's own.
 * The simulated cluster gets what it knows of them: namespaces, ServiceAccounts, and rights.
 */
export async function applyManifests(cluster: TestCluster): Promise<AppliedManifests> {
  const { client } = cluster;
  const suffix = `-${randomBytes(4).toString('hex')}`;
  const isReal = cluster.name !== 'simulated';
  const manifests = await readManifests();
  for (const manifest of manifests) move(manifest, suffix);
  await using cleanUp = new AsyncDisposableStack();

  async function post(collection: string, body: object): Promise<unknown> {
    // What it does not know is an error rather than dropped in silence: a misspelt field, say.
    const answer = await client.request('POST', `${collection}${isReal ? '?fieldValidation=Strict' : ''}`, body);
    if (answer.status !== 201) {
      throw new Error(`POST ${collection}: ${answer.status} ${JSON.stringify(answer.body)} to ${JSON.stringify(body)}`);
    }
    return answer.body;
  }

  const remove = async (object: string): Promise<void> => {
    await client.request('DELETE', object, { gracePeriodSeconds: 0 });
  };

  async function create(manifest: KubernetesObject): Promise<void> {
    const collection = collectionOf(manifest);
    await post(collection, manifest);
    cleanUp.defer(() => remove(`${collection}/${manifest.metadata?.name}`));
  }

  for (const manifest of manifests) {
    if (isReal || simulatedKinds.has(manifest.kind)) await create(manifest);
  }

  const disposables = cleanUp.move();
  return {
    manifests,
    async podToken(deployment) {
      const { metadata, spec } = deploymentNamed(manifests, deployment);
      const namespace = `/api/v1/namespaces/${metadata?.namespace}`;
      // As the Deployment's controller would: kube-apiserver alone runs none.
      const { labels } = spec?.template.metadata ?? {};
      const pod = { metadata: { name: `${deployment}-0`, labels }, spec: spec?.template.spec };
      const { uid } = podAnswer.parse(await post(`${namespace}/pods`, pod)).metadata;
      disposables.defer(() => remove(`${namespace}/pods/${deployment}-0`));
      const projected = spec?.template.spec?.volumes?.flatMap((volume) => volume.projected?.sources ?? []) ?? [];
      const { audience, expirationSeconds } = projected[0]?.serviceAccountToken ?? {};
      // As the kubelet would.
      const request = {
        spec: {
          audiences: audience === undefined ? [] : [audience],
          expirationSeconds,
          boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: `${deployment}-0`, uid },
        },
      };
      const account = `${namespace}/serviceaccounts/${spec?.template.spec?.serviceAccountName}`;
      return tokenAnswer.parse(await post(`${account}/token`, request)).status.token;
    },
    [Symbol.asyncDispose]: () => disposables.disposeAsync(),
  };
}

const podAnswer = z.object({ metadata: z.object({ uid: z.string() }) });
const tokenAnswer = z.object({ status: z.object({ token: z.string() }) });

const simulatedKinds = new Set<string | undefined>([
  'Namespace',
  'ServiceAccount',
  'Role',
  'RoleBinding',
  'ClusterRole',
  'ClusterRoleBinding',
]);

const plurals: Readonly<Record<string, string>> = {
  Namespace: 'namespaces',
  ServiceAccount: 'serviceaccounts',
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
  Role: 'roles',
  RoleBinding: 'rolebindings',
  Deployment: 'deployments',
  DaemonSet: 'daemonsets',
  Service: 'services',
  PriorityLevelConfiguration: 'prioritylevelconfigurations',
  FlowSchema: 'flowschemas',
};

function collectionOf({ apiVersion = '', kind = '', metadata }: KubernetesObject): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const plural = plurals[kind];
  if (plural === undefined) throw new Error(`The manifests have a kind that this test does not know: ${kind}`);
  return `${root}${metadata?.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`}/${plural}`;
}

/** Puts an object into another namespace; what is in none gets another name. */
function move(manifest: KubernetesObject, suffix: string): void {
  const { kind, metadata } = manifest;
  if (metadata?.namespace !== undefined) metadata.namespace += suffix;
  else if (metadata?.name !== undefined) metadata.name += suffix;
  if (kind === 'FlowSchema') moveFlows(manifest, suffix);
  if (kind !== 'ClusterRoleBinding' && kind !== 'RoleBinding') return;
  const { roleRef, subjects = [] } = manifest as V1ClusterRoleBinding;
  // Those that every cluster has stay where they are.
  if (roleRef.kind === 'ClusterRole' && !roleRef.name.startsWith('system:')) roleRef.name += suffix;
  for (const subject of subjects) subject.namespace += suffix;
}

function moveFlows({ spec }: V1FlowSchema, suffix: string): void {
  if (spec === undefined) return;
  spec.priorityLevelConfiguration.name += suffix;
  for (const { serviceAccount } of spec.rules?.flatMap(({ subjects }) => subjects) ?? []) {
    if (serviceAccount !== undefined) serviceAccount.namespace += suffix;
  }
}
