import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { ClusterClient } from '../../../src/testing/cluster-client/cluster-client.ts';
import type { RbacManifest } from '../../../src/testing/cluster-client/rbac-manifest.ts';
import { createServerCertificate } from '../../../src/testing/simulated-cluster/certificate.ts';
import {
  type SimulatedCluster,
  startSimulatedCluster,
} from '../../../src/testing/simulated-cluster/simulated-cluster.ts';

describe('on a cluster', () => {
  let cluster: SimulatedCluster;
  let client: ClusterClient;
  beforeEach(async () => {
    cluster = await startSimulatedCluster();
    const token = cluster.createUser('tester', { groups: ['system:masters'] });
    client = new ClusterClient({ server: cluster.server, ca: cluster.ca, token });
  });
  afterEach(async () => {
    await client.close();
    await cluster.close();
  });

  test('a Pod brings its namespace, ServiceAccount and Node along', async () => {
    const pod = await client.createPod('shop/web-1', {
      serviceAccount: 'web',
      node: 'node-a',
      labels: { app: 'web' },
      podIP: '10.0.0.7',
    });

    expect(await pod.get()).toMatchObject({
      metadata: { namespace: 'shop', name: 'web-1', uid: pod.uid, labels: { app: 'web' } },
      spec: { serviceAccountName: 'web', nodeName: 'node-a', automountServiceAccountToken: false },
      status: { podIP: '10.0.0.7', podIPs: [{ ip: '10.0.0.7' }] },
    });
    expect(pod).toMatchObject({ kind: 'Pod', serviceAccountName: 'web', nodeName: 'node-a' });
    for (const path of ['/api/v1/namespaces/shop/serviceaccounts/web', '/api/v1/nodes/node-a']) {
      expect((await client.request('GET', path)).status).toBe(200);
    }
    expect((await client.createPod('shop/web-2', { serviceAccount: 'web', node: 'node-a' })).uid).not.toBe(pod.uid);
  });

  test('tokens can be bound to each kind of object', async () => {
    const serviceAccount = await client.createServiceAccount('shop/web');
    const node = await client.createNode('node-a');
    const secret = await client.createSecret('shop/s');
    const pod = await client.createPod('shop/web-1', { serviceAccount: 'web' });
    const tokens = [
      await node.token({ serviceAccount, audiences: 'orders' }),
      await secret.token({ serviceAccount, audiences: ['orders', 'billing'] }),
      await pod.token({ expirationSeconds: 600 }),
      await serviceAccount.token({ boundTo: pod }),
      await serviceAccount.token(),
    ];
    const bound = tokens.map((token) => Object.keys(claimsOf(token)['kubernetes.io'] as object));

    expect(bound).toEqual([
      ['namespace', 'node', 'serviceaccount'],
      ['namespace', 'secret', 'serviceaccount'],
      ['namespace', 'pod', 'serviceaccount'],
      ['namespace', 'pod', 'serviceaccount'],
      ['namespace', 'serviceaccount'],
    ]);
    expect(claimsOf(tokens[1] ?? '')['aud']).toEqual(['orders', 'billing']);
    expect(serviceAccount.username).toBe('system:serviceaccount:shop:web');
  });

  test('deletes the very object it created, not its successor', async () => {
    const first = await client.createPod('shop/web-1');
    await first.delete();
    const second = await client.createPod('shop/web-1');

    await expect(first.delete()).rejects.toThrow(/409.*does not match the UID in record/);
    expect(await second.get()).toBeDefined();
    await expect(first.setFinalizers([])).rejects.toThrow('Pod web-1 is gone');
  });

  test('a failure names the call, the status and the reason', async () => {
    const account = await client.createServiceAccount('shop/web');
    await expect(client.createServiceAccount('shop/web')).rejects.toThrow(
      'POST /api/v1/namespaces/shop/serviceaccounts: 409 serviceaccounts "web" already exists',
    );
    await expect(account.token({ expirationSeconds: 1 })).rejects.toThrow(
      /^POST \/api\/v1\/namespaces\/shop\/serviceaccounts\/web\/token: 422 .*less than 10 minutes$/,
    );
    using _ = cluster.fault('nodes', { status: 502, body: 'Bad Gateway' });
    await expect(client.createNode('n')).rejects.toThrow('POST /api/v1/nodes: 502 Bad Gateway');
  });

  test('a kubeconfig file connects as the administrator, or as whoever holds the token', async () => {
    const read = (yaml: string): KubeConfig => {
      const kubeConfig = new KubeConfig();
      kubeConfig.loadFromString(yaml);
      return kubeConfig;
    };
    const kubeConfig = read(client.kubeConfigYaml());
    expect(kubeConfig.getCurrentCluster()).toMatchObject({
      server: cluster.server,
      caData: Buffer.from(cluster.ca).toString('base64'),
    });
    const { body } = await client.request('GET', '/api/v1/nodes', undefined, {
      token: String(kubeConfig.getCurrentUser()?.token),
    });
    expect(body).toMatchObject({ kind: 'NodeList' });
    expect(read(client.kubeConfigYaml({ token: 'other' })).getCurrentUser()?.token).toBe('other');
  });

  test.each(['web', 'a/b/c', '/web', 'shop/'])('%j is no namespace/name', async (ref) => {
    await expect(client.createPod(ref)).rejects.toThrow(`Expected namespace/name, got ${JSON.stringify(ref)}`);
  });

  const reader = (verbs: readonly string[]): RbacManifest => ({
    kind: 'Role',
    metadata: { namespace: 'shop', name: 'reader' },
    rules: [{ verbs, apiGroups: ['orders.example.com'], resources: ['orders'] }],
  });
  const bound: RbacManifest = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { namespace: 'shop', name: 'web-reads' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
    subjects: [{ kind: 'ServiceAccount', name: 'web' }],
  };
  const may = async (verb: string): Promise<boolean> => {
    const { body } = await client.request('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      spec: {
        user: 'system:serviceaccount:shop:web',
        resourceAttributes: { verb, group: 'orders.example.com', resource: 'orders', namespace: 'shop' },
      },
    });
    return (body as { status: { allowed: boolean } }).status.allowed;
  };

  test('RBAC is what the manifests say, and what they say next', async () => {
    await client.rbac(reader(['get']), bound);
    expect(await Promise.all([may('get'), may('list')])).toEqual([true, false]);
    await client.rbac(reader(['list']));

    expect(await Promise.all([may('get'), may('list')])).toEqual([false, true]);
    const { body } = await client.request('GET', '/apis/rbac.authorization.k8s.io/v1/rolebindings');
    expect((body as { items: unknown[] }).items).toHaveLength(1);
  });

  test('RBAC in the whole cluster comes by ClusterRoles', async () => {
    await client.rbac(
      { ...reader(['get']), kind: 'ClusterRole', metadata: { name: 'reader' } },
      {
        kind: 'ClusterRoleBinding',
        metadata: { name: 'shop-reads' },
        roleRef: { kind: 'ClusterRole', name: 'reader' },
        subjects: [{ kind: 'ServiceAccount', namespace: 'shop', name: 'web' }],
      },
    );
    expect(await may('get')).toBe(true);
  });

  test.each<[string, RbacManifest, string]>([
    ['of another kind', { kind: 'Pod', metadata: { name: 'a' } }, 'rbac.authorization.k8s.io/v1 Pod is no Role'],
    ['of another version', { ...bound, apiVersion: 'v1' }, 'v1 RoleBinding is no Role'],
    ['in no namespace', { kind: 'Role', metadata: { name: 'a' } }, 'the Role "a" needs a metadata.namespace'],
    ['that the cluster refuses', { ...bound, roleRef: { kind: 'Role', name: '' } }, '422'],
  ])('RBAC %s is an error that says so', async (_name, manifest, message) => {
    await expect(client.rbac(manifest)).rejects.toThrow(message);
  });

  test('a Secret holds a legacy token only if it was made for that', async () => {
    await expect((await client.createSecret('shop/plain')).legacyToken()).rejects.toThrow('holds no token');
    const secret = await client.createSecret('shop/legacy', { legacyTokenFor: 'robot' });
    expect(claimsOf(await secret.legacyToken())).toMatchObject({ iss: 'kubernetes/serviceaccount' });
  });
});

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
}

describe('rights on a server with RBAC', () => {
  let server: Server;
  let client: ClusterClient;
  const received: { path: string; body: Record<string, unknown> }[] = [];

  /** Takes anything, and allows from the second SubjectAccessReview on, as a server does whose RBAC lags. */
  beforeEach(async () => {
    const addresses = [Uint8Array.of(127, 0, 0, 1)];
    const { ca, certificate, key } = await createServerCertificate({ dnsNames: [], addresses });
    let reviews = 0;
    server = createServer({ key, cert: certificate }, (request, response) => {
      void request.toArray().then((chunks) => {
        const body = JSON.parse(chunks.join('')) as Record<string, unknown>;
        received.push({ path: request.url ?? '', body });
        const isReview = body['kind'] === 'SubjectAccessReview';
        const metadata = { name: 'granted-abcde', uid: 'u', resourceVersion: '1', creationTimestamp: 'now' };
        const answer = isReview ? { status: { allowed: (reviews += 1) > 1 } } : { ...body, metadata };
        response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    client = new ClusterClient({ server: `https://127.0.0.1:${port}`, ca, token: 'admin' });
    received.length = 0;
  });
  afterEach(async () => {
    await client.close();
    server.close();
  });

  test('in a namespace are a Role and a RoleBinding, waited for', async () => {
    const rule = { verb: 'get', group: 'orders.example.com', resource: 'orders', namespace: 'shop', name: 'one' };
    await client.allow('shop/web', rule);
    const [namespace, role, binding, ...reviews] = received;

    expect(namespace).toMatchObject({ path: '/api/v1/namespaces', body: { metadata: { name: 'shop' } } });

    expect(role).toMatchObject({
      path: '/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles',
      body: {
        kind: 'Role',
        rules: [{ verbs: ['get'], apiGroups: ['orders.example.com'], resources: ['orders'], resourceNames: ['one'] }],
      },
    });
    expect(binding).toMatchObject({
      path: '/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings',
      body: {
        kind: 'RoleBinding',
        roleRef: { kind: 'Role', name: 'granted-abcde' },
        subjects: [{ kind: 'ServiceAccount', namespace: 'shop', name: 'web' }],
      },
    });
    expect(reviews).toHaveLength(2);
    expect(reviews[0]?.body).toMatchObject({
      spec: {
        user: 'system:serviceaccount:shop:web',
        resourceAttributes: {
          verb: 'get',
          group: 'orders.example.com',
          resource: 'orders',
          namespace: 'shop',
          name: 'one',
        },
      },
    });
  });

  test.each([
    [{ user: 'jane' }, { kind: 'User', name: 'jane' }, { user: 'jane' }],
    [{ group: 'staff' }, { kind: 'Group', name: 'staff' }, { groups: ['staff'] }],
  ])('of %j in the whole cluster are a ClusterRole and a ClusterRoleBinding', async (subject, inBinding, reviewed) => {
    await client.allow(subject, { verb: 'get', path: '/reports/*' });
    const [role, binding, review] = received;

    expect(role).toMatchObject({
      path: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
      body: { kind: 'ClusterRole', rules: [{ verbs: ['get'], nonResourceURLs: ['/reports/*'] }] },
    });
    expect(binding).toMatchObject({
      path: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
      body: { roleRef: { kind: 'ClusterRole', name: 'granted-abcde' }, subjects: [inBinding] },
    });
    expect(review?.body).toMatchObject({
      spec: { ...reviewed, nonResourceAttributes: { verb: 'get', path: '/reports/*' } },
    });
  });
});
