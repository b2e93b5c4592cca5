import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { readClusterInfo } from '../cluster-info.ts';
import { claimsOf } from '../conformance/claims-of.ts';
import { simulatedTestCluster } from '../conformance/simulated-test-cluster.ts';
import { startTestCluster, type TestCluster } from '../conformance/test-cluster.ts';
import { findKubectl } from '../find-kubectl.ts';
import { type Kubectl, kubectlFor, type RunOptions, type Said } from '../kubectl.ts';
import { defaultKubernetesVersion, kubernetesVersions } from '../kubernetes-version.ts';

const BUILD_DEADLINE_MS = 600_000;
const id = randomBytes(4).toString('hex');
const namespace = `kubectl-${id}`;
const info = await readClusterInfo();
const isGiven = info?.kind === 'given';

interface Step extends RunOptions {
  readonly command: string;
  /** Default: 0. `null`: stopped, as it would not end. */
  readonly exitCode?: number | null;
  /** What its output contains, on either stream; '' if it says nothing. */
  readonly says: string;
  /** Written before, from what the steps before have said. */
  readonly file?: { readonly name: string; readonly content: string | ((said: readonly Said[]) => string) };
}

const podYaml = `apiVersion: v1
kind: Pod
metadata:
  name: test-pod
  labels: { app: web }
spec:
  serviceAccountName: my-sa
  automountServiceAccountToken: false
  containers: [{ name: main, image: "registry.k8s.io/pause:3.10" }]
`;

const tokenReviewYaml = (token: string): string => `apiVersion: authentication.k8s.io/v1
kind: TokenReview
spec:
  token: ${token}
`;

/** What every tutorial shows; it goes so on any cluster. */
const tutorial: readonly Step[] = [
  { command: 'kubectl create serviceaccount my-sa', says: 'serviceaccount/my-sa created' },
  {
    command: 'kubectl create -f pod.yaml',
    file: { name: 'pod.yaml', content: podYaml },
    says: 'pod/test-pod created',
  },
  {
    command: 'kubectl create token my-sa --bound-object-kind="Pod" --bound-object-name="test-pod"',
    says: 'eyJ',
  },
  {
    command: 'kubectl create -o yaml -f tokenreview.yaml',
    file: {
      name: 'tokenreview.yaml',
      content: (said) => tokenReviewYaml(String(said.at(-1)?.stdout.trim())),
    },
    says: 'authenticated: true',
  },
];

const nodeYaml = `apiVersion: v1
kind: Node
metadata:
  name: node-${id}
  labels: { node-role.kubernetes.io/worker: "" }
`;
const accessYaml = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: applied }
rules: [{ verbs: [get], apiGroups: [""], resources: [pods] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: applied }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: applied }
subjects: [{ kind: ServiceAccount, name: my-sa }]
`;
const accessReviewYaml = `apiVersion: authorization.k8s.io/v1
kind: SubjectAccessReview
spec:
  user: jane
  resourceAttributes: { verb: list, resource: pods, version: v1, namespace: ${namespace} }
`;
const misspeltRoleYaml = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: misspelt, nam: a }
rules: [{ verbs: [get] }, { verb: [get], resources: [pods] }]
`;
const podStatusYaml = `apiVersion: v1
kind: Pod
metadata: { name: on-node }
status:
  phase: Running
  podIP: 10.0.0.7
  podIPs: [{ ip: 10.0.0.7 }]
  containerStatuses:
    - name: on-node
      image: a:1
      imageID: a
      ready: true
      restartCount: 2
      state: { running: { startedAt: "2026-01-01T00:00:00Z" } }
      lastState: {}
`;
const nodeStatusYaml = `apiVersion: v1
kind: Node
metadata: { name: node-${id} }
status:
  conditions:
    - { type: Ready, status: "True", lastHeartbeatTime: "2026-01-01T00:00:00Z", lastTransitionTime: "2026-01-01T00:00:00Z" }
  addresses: [{ type: InternalIP, address: 10.1.0.1 }, { type: ExternalIP, address: 192.0.2.1 }]
  nodeInfo:
    kubeletVersion: v1.36.3
    osImage: Linux
    kernelVersion: "6"
    containerRuntimeVersion: containerd://2
    architecture: amd64
    bootID: a
    kubeProxyVersion: ""
    machineID: a
    operatingSystem: linux
    systemUUID: a
`;
const notFound = (what: string): Pick<Step, 'exitCode' | 'says'> => ({ exitCode: 1, says: `(NotFound): ${what}` });
const noSuchType = (name: string): Pick<Step, 'exitCode' | 'says'> => ({
  exitCode: 1,
  says: `the server doesn't have a resource type "${name}"`,
});
const patch = (finalizers: string): string =>
  `kubectl patch sa held --type=merge -p '{"metadata":{"finalizers":${finalizers}}}'`;

/** What changes while an object is deleted, event by event. */
const columns = ['generation', 'finalizers', 'deletionTimestamp', 'deletionGracePeriodSeconds'];
const events = `--output-watch-events --request-timeout=20s -o custom-columns=TYPE:.type,${columns
  .map((column) => `${column.toUpperCase()}:.object.metadata.${column}`)
  .join()}`;

/** Where no controller and no kubelet interferes. */
const onBareServer: readonly Step[] = [
  // create
  { command: 'kubectl create sa my-sa', exitCode: 1, says: 'serviceaccounts "my-sa" already exists' },
  { command: 'kubectl create sa Bad_', exitCode: 1, says: 'metadata.name: Invalid value: "Bad_"' },
  { command: 'kubectl create sa tried --dry-run=server -o yaml', says: 'name: tried' },
  { command: 'kubectl get sa tried', ...notFound('serviceaccounts "tried" not found') },
  {
    command: 'kubectl create -f node.yaml',
    file: { name: 'node.yaml', content: nodeYaml },
    says: `node/node-${id} created`,
  },
  { command: 'kubectl create ns default', exitCode: 1, says: 'namespaces "default" already exists' },
  { command: 'kubectl create secret generic secret-1 --from-literal=a=b', says: 'secret/secret-1 created' },
  { command: 'kubectl create role reader --verb=get,list --resource=pods', says: 'created' },
  {
    command: `kubectl create rolebinding reader --role=reader --serviceaccount=${namespace}:my-sa --user=jane --group=g`,
    says: 'created',
  },
  { command: `kubectl create clusterrole paths-${id} --verb=get --non-resource-url=/x`, says: 'created' },
  {
    command: `kubectl create clusterrolebinding paths-${id} --clusterrole=paths-${id} --group=g`,
    says: 'created',
  },
  {
    command: 'kubectl create -f misspelt.yaml',
    file: {
      name: 'misspelt.yaml',
      content: 'apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: a }\ncolour: red\n',
    },
    exitCode: 1,
    says: 'strict decoding error: unknown field "colour"',
  },
  {
    command: 'kubectl create -f misspelt-role.yaml',
    file: { name: 'misspelt-role.yaml', content: misspeltRoleYaml },
    exitCode: 1,
    says: 'unknown field "rules[1].verb"',
  },
  { command: 'kubectl run on-node --image=a:1 --overrides=\'{"spec":{"nodeName":"x"}}\'', says: 'created' },
  // token
  { command: 'kubectl create token nobody', exitCode: 1, says: 'serviceaccounts "nobody" not found' },
  { command: 'kubectl create token my-sa --duration=1m', exitCode: 1, says: 'less than 10 minutes' },
  { command: 'kubectl create token my-sa --audience=orders --duration=1h -o yaml', says: '- orders' },
  {
    command: 'kubectl create token my-sa --bound-object-kind=Pod --bound-object-name=gone',
    exitCode: 1,
    says: 'pods "gone" not found',
  },
  {
    command: 'kubectl create token my-sa --bound-object-kind=Pod --bound-object-name=test-pod --bound-object-uid=x',
    exitCode: 1,
    says: 'does not match the UID in record',
  },
  {
    command: 'kubectl create -o yaml -f forged.yaml',
    file: {
      name: 'forged.yaml',
      content: tokenReviewYaml('a.b.c'),
    },
    says: 'error: invalid bearer token',
  },
  // get
  { command: 'kubectl get pods', says: 'test-pod' },
  { command: 'kubectl get pods -o wide --show-labels', says: 'NOMINATED NODE' },
  { command: 'kubectl get pod test-pod -o yaml', says: 'serviceAccountName: my-sa' },
  { command: 'kubectl get pods -o json', says: '"kind": "List"' },
  { command: 'kubectl get pods -o name', says: 'pod/test-pod' },
  { command: "kubectl get pods -o jsonpath='{.items[*].metadata.name}'", says: 'on-node test-pod' },
  { command: 'kubectl get pods -o custom-columns=A:.metadata.name,B:.spec.nodeName', says: 'on-node' },
  { command: 'kubectl get pods -l app=web', says: 'test-pod' },
  { command: "kubectl get pods -l 'app in (x, y)'", says: `No resources found in ${namespace} namespace.` },
  { command: 'kubectl get pods --field-selector=spec.nodeName=x', says: 'on-node' },
  { command: 'kubectl get pods --field-selector=spec.foo=x', exitCode: 1, says: 'not supported: spec.foo' },
  { command: 'kubectl get pods --chunk-size=1', says: 'test-pod' },
  { command: `kubectl get pods -A --field-selector=metadata.namespace=${namespace}`, says: 'NAMESPACE' },
  { command: 'kubectl get pods test-pod gone', ...notFound('pods "gone" not found') },
  { command: 'kubectl get pods gone --ignore-not-found', says: '' },
  { command: 'kubectl get pods -n nowhere', says: 'No resources found in nowhere namespace.' },
  { command: 'kubectl get po,sa,secrets', says: 'serviceaccount/my-sa' },
  { command: `kubectl get ns ${namespace}`, says: 'Active' },
  { command: `kubectl get ns ${namespace} -o yaml`, says: 'phase: Active' },
  { command: `kubectl get nodes node-${id} -o wide`, says: 'worker' },
  { command: `kubectl get no node-${id} -o yaml`, says: 'key: node.kubernetes.io/not-ready' },
  { command: 'kubectl get secrets', says: 'Opaque' },
  { command: 'kubectl get secret secret-1 -o yaml', says: 'a: Yg==' },
  { command: 'kubectl get sa my-sa -o yaml', says: 'name: my-sa' },
  { command: 'kubectl get roles,rolebindings -o wide', says: 'Role/reader' },
  { command: 'kubectl get roles,rolebindings -o yaml', says: 'kind: RoleBinding' },
  { command: `kubectl get clusterrole paths-${id} -o yaml`, says: '- /x' },
  { command: `kubectl get clusterrolebinding paths-${id} -o wide`, says: 'ClusterRole/paths' },
  { command: 'kubectl describe sa my-sa', says: 'Image pull secrets' },
  { command: 'kubectl describe role reader', says: 'PolicyRule' },
  { command: 'kubectl get --raw /healthz', says: 'ok' },
  // rights
  { command: 'kubectl auth whoami --as=jane --as-group=a --as-group=b --as-uid=u', says: '[a b system:authenticated]' },
  { command: 'kubectl auth whoami --as=jane -o yaml', says: 'username: jane' },
  { command: 'kubectl auth can-i get pods', says: 'yes' },
  { command: 'kubectl auth can-i list pods --as=jane', says: 'yes' },
  { command: 'kubectl auth can-i delete pods --as=jane', exitCode: 1, says: 'no' },
  { command: 'kubectl auth can-i list pods --as=jane -n default', exitCode: 1, says: 'no' },
  { command: `kubectl auth can-i get pods --as=system:serviceaccount:${namespace}:my-sa`, says: 'yes' },
  { command: 'kubectl auth can-i get pods --subresource=log --as=jane', exitCode: 1, says: 'no' },
  { command: 'kubectl auth can-i get /x --as=mary --as-group=g', says: 'yes' },
  { command: 'kubectl auth can-i get orders.example.com --as=jane', exitCode: 1, says: "resource type 'orders'" },
  { command: 'kubectl auth can-i --list --as=jane', says: '[get list]' },
  {
    command: 'kubectl create -o yaml -f access-review.yaml',
    file: { name: 'access-review.yaml', content: accessReviewYaml },
    says: 'allowed: true',
  },
  { command: 'kubectl get pods --as=jane', says: 'test-pod' },
  {
    command: 'kubectl get nodes --as=jane',
    exitCode: 1,
    says: 'User "jane" cannot list resource "nodes" in API group "" at the cluster scope',
  },
  { command: 'kubectl create sa x --as=jane', exitCode: 1, says: 'User "jane" cannot create resource' },
  { command: 'kubectl get pods --token=wrong', exitCode: 1, says: 'You must be logged in to the server' },
  // change
  { command: 'kubectl label pod test-pod tier=front', says: 'labeled' },
  { command: 'kubectl annotate pod test-pod note=x', says: 'annotated' },
  { command: 'kubectl label pod test-pod tier=back --dry-run=server --overwrite -o name', says: 'pod/test-pod' },
  { command: 'kubectl get pods -L tier', says: 'front' },
  {
    command: 'kubectl apply -f access.yaml',
    file: { name: 'access.yaml', content: accessYaml },
    says: 'applied created',
  },
  { command: 'kubectl apply -f access.yaml', says: 'applied unchanged' },
  { command: 'kubectl replace -f access.yaml', says: 'applied replaced' },
  { command: 'kubectl get -f access.yaml', says: 'Role/applied' },
  {
    command: 'kubectl replace --subresource=status -f pod-status.yaml',
    file: { name: 'pod-status.yaml', content: podStatusYaml },
    says: 'pod/on-node replaced',
  },
  { command: 'kubectl get pod on-node -o wide --show-labels', says: '10.0.0.7' },
  { command: 'kubectl get pod on-node -o yaml', says: 'restartCount: 2' },
  {
    command: 'kubectl replace --subresource=status -f node-status.yaml',
    file: { name: 'node-status.yaml', content: nodeStatusYaml },
    says: 'replaced',
  },
  { command: `kubectl cordon node-${id}`, says: 'cordoned' },
  { command: `kubectl get node node-${id} -o wide`, says: 'Ready,SchedulingDisabled' },
  { command: `kubectl get node node-${id} -o yaml`, says: 'unschedulable: true' },
  // watch and wait
  {
    command: 'kubectl get pods test-pod -w -o name --request-timeout=20s',
    until: /pod\/test-pod\n/,
    exitCode: null,
    says: 'pod/test-pod',
  },
  { command: 'kubectl get pods --watch-only --request-timeout=1s', says: '' },
  {
    command: "kubectl wait --for=jsonpath='{.status.phase}'=Pending pod/test-pod --timeout=10s",
    says: 'condition met',
  },
  { command: 'kubectl wait --for=condition=Ready pod/test-pod --timeout=1s', exitCode: 1, says: 'timed out waiting' },
  { command: 'kubectl wait --for=delete pod/gone --timeout=10s', says: '' },
  // delete
  { command: 'kubectl delete sa gone', ...notFound('serviceaccounts "gone" not found') },
  { command: 'kubectl delete sa gone --ignore-not-found', says: '' },
  { command: 'kubectl delete secret secret-1 --dry-run=server', says: '(server dry run)' },
  {
    command: `kubectl get secret secret-1 -w ${events}`,
    when: { says: /ADDED/, run: 'kubectl delete secret secret-1 --wait=false' },
    until: /DELETED.*\n/,
    exitCode: null,
    says: 'DELETED',
  },
  { command: 'kubectl delete -f access.yaml', says: '"applied" deleted' },
  { command: 'kubectl delete pod on-node --wait=false', says: '"on-node" deleted' },
  { command: 'kubectl get pods', says: 'Terminating' },
  {
    command: `kubectl get pod on-node -w ${events}`,
    when: { says: /ADDED/, run: 'kubectl delete pod on-node --grace-period=0 --force' },
    until: /DELETED.*\n/,
    exitCode: null,
    says: 'MODIFIED',
  },
  { command: 'kubectl delete pods -l app=web', says: '"test-pod" deleted' },
  { command: 'kubectl get pods', says: 'No resources found' },
  { command: 'kubectl create sa held', says: 'created' },
  { command: patch('["example.com/hold"]'), says: 'patched' },
  { command: 'kubectl delete sa held --timeout=1s', exitCode: 1, says: 'timed out waiting' },
  {
    command: `kubectl get sa held -w ${events}`,
    when: { says: /ADDED/, run: patch('null') },
    until: /DELETED.*\n/,
    exitCode: null,
    says: 'DELETED',
  },
  { command: `kubectl delete role/reader rolebinding/reader`, says: 'deleted' },
  { command: `kubectl delete clusterrole,clusterrolebinding paths-${id}`, says: 'deleted' },
  { command: `kubectl delete node node-${id}`, says: 'deleted' },
  { command: 'kubectl delete ns default', exitCode: 1, says: 'this namespace may not be deleted' },
  // what no API server knows
  { command: 'kubectl get orders', ...noSuchType('orders') },
  { command: 'kubectl delete orders --all', ...noSuchType('orders') },
  { command: 'kubectl explain orders', ...noSuchType('orders') },
  {
    command: 'kubectl create -f order.yaml',
    file: { name: 'order.yaml', content: 'apiVersion: orders.example.com/v1\nkind: Order\nmetadata: { name: a }\n' },
    exitCode: 1,
    says: 'no matches for kind "Order" in version "orders.example.com/v1"',
  },
  ...[
    '/nowhere',
    '/api/v2',
    '/api/v1/orders',
    '/apis/orders.example.com',
    '/apis/orders.example.com/v1',
    '/apis/orders.example.com/v1/orders',
    '/apis/rbac.authorization.k8s.io/v9/roles',
  ].map((path) => ({
    command: `kubectl get --raw ${path}`,
    ...notFound('the server could not find the requested resource'),
  })),
];

const steps = [...tutorial, ...(isGiven ? [] : onBareServer)];

interface Played {
  readonly cluster: TestCluster;
  readonly kubectl: Kubectl;
  readonly said: readonly Said[];
}

const resources = new AsyncDisposableStack();
let here: Played;
let simulated: Played;

beforeAll(async () => {
  const cluster = resources.use(await startTestCluster());
  const version = kubernetesVersions.find((known) => known === cluster.version) ?? defaultKubernetesVersion;
  const folder = await findKubectl(version, (line) => process.stderr.write(`  ${line}\n`));
  if (info === undefined) {
    here = simulated = await play(cluster, folder);
    return;
  }
  const other = resources.use(await simulatedTestCluster(version));
  [here, simulated] = await Promise.all([play(cluster, folder), play(other, folder)]);
}, BUILD_DEADLINE_MS);

afterAll(async () => {
  await resources.disposeAsync();
});

async function play(cluster: TestCluster, kubectlFolder: string): Promise<Played> {
  await cluster.client.createNamespace(namespace);
  resources.defer(async () => {
    await cluster.client.request('DELETE', `/api/v1/namespaces/${namespace}`);
  });
  const kubectl = resources.use(await kubectlFor(cluster.client.kubeConfigYaml(), kubectlFolder));
  await kubectl.run(`kubectl config set-context --current --namespace=${namespace}`);
  const said: Said[] = [];
  for (const { command, file, until, when } of steps) {
    if (file) {
      const { name, content } = file;
      await kubectl.writeFile(name, typeof content === 'string' ? content : content(said));
    }
    said.push(await kubectl.run(command, { until, when }));
  }
  return { cluster, kubectl, said };
}

/** Without what differs from run to run. The widths of columns depend on it, too. */
function comparable({ exitCode, stdout, stderr }: Said): Said {
  const without = (text: string): string =>
    text
      // What Kubernetes' client library logs, such as that a watch was a short one.
      .replaceAll(/^[IWE]\d{4} \d\d:\d\d.*\n/gm, '')
      .replaceAll(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, '<token>')
      .replaceAll(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '<uid>')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '<time>')
      .replaceAll(/(resourceVersion"?: )"\d+"/g, '$1"<version>"')
      .replaceAll(/\b\d+(s|m\d*s?)(?= |$)/gm, '<age>')
      .replaceAll(/ {2,}/g, (spaces, at: number, all: string) => (at === 0 || all[at - 1] === '\n' ? spaces : '  '));
  return { exitCode, stdout: without(stdout), stderr: without(stderr) };
}

// The same names in every run, or their results would not stand in one row.
const named = steps.map((step, index) => {
  const name = `${String(index + 1).padStart(3, '0')} ${step.command.replaceAll(`-${id}`, '')}`;
  return [name.slice(0, 100), step, index] as const;
});

describe('kubectl', () => {
  test.each(named)('%s', (_name, { exitCode = 0, says }, index) => {
    const said = here.said[index];
    const expected = simulated.said[index];
    if (!said || !expected) throw new Error('The step was not played');
    expect({ ...said, output: said.stdout + said.stderr }).toMatchObject({
      exitCode,
      output: says === '' ? '' : expect.stringContaining(says),
    });
    if (!isGiven) expect(comparable(said)).toEqual(comparable(expected));
  });

  test('what create token prints is bound to the Pod, and the TokenReview says so', () => {
    const [, , token, review] = here.said;
    const claims = claimsOf(token?.stdout.trim() ?? '');
    expect(claims?.['kubernetes.io']).toMatchObject({
      namespace,
      pod: { name: 'test-pod' },
      serviceaccount: { name: 'my-sa' },
    });
    expect(review?.stdout).toContain(`username: system:serviceaccount:${namespace}:my-sa`);
    expect(review?.stdout).toContain('authentication.kubernetes.io/pod-name:\n      - test-pod');
  });

  test('api-resources and api-versions list nothing that a whole API server has not', async () => {
    for (const command of ['kubectl api-resources', 'kubectl api-versions']) {
      const [all, few] = await Promise.all([here.kubectl.run(command), simulated.kubectl.run(command)]);
      const lines = (said: Said): readonly string[] => comparable(said).stdout.trim().split('\n');
      expect(few).toMatchObject({ exitCode: 0, stderr: '', stdout: expect.stringContaining('rbac.authorization') });
      expect(lines(all)).toEqual(expect.arrayContaining([...lines(few)]));
    }
  });

  test('of the kinds that only a whole cluster has, the simulated one says that it has none, and does not hang', async () => {
    expect(await simulated.kubectl.run('kubectl get deployments')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'error: the server doesn\'t have a resource type "deployments"\n',
    });
    const path = '/apis/apps/v1/deployments';
    const { status, body } = await simulated.cluster.client.request('GET', path);
    const { status: elsewhere, body: other } = await here.cluster.client.request(
      'GET',
      path.replaceAll('apps', 'orders'),
    );
    expect({ status, body }).toEqual({ status: elsewhere, body: other });
    expect(status).toBe(404);
  });
});
