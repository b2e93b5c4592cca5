import { createPublicKey, generateKeyPair, type KeyObject, randomBytes } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { z } from 'zod';

import { findOrBuild } from './binaries.ts';
import { freePorts } from './free-ports.ts';
import { getStatus } from './get-status.ts';
import { keyId } from './key-id.ts';
import type { KubernetesVersion } from './kubernetes-version.ts';
import { type PausableProxy, startPausableProxy } from './pausable-proxy.ts';
import { startReaper } from './reaper.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

const makeKeyPair = promisify(generateKeyPair);

const latest = z.object({ header: z.object({ revision: z.string() }) });

const READY_DEADLINE_MS = 60_000;
const ISSUER = 'https://kubernetes.default.svc.cluster.local';
const SECOND_ISSUER = 'https://second.example.com';

export interface RealClusterOptions {
  /** Default: whatever `KUBEBUILDER_ASSETS` holds, else 1.36. */
  readonly version?: KubernetesVersion;
  /** Told about a build with Go, which takes minutes. Default: lines on stderr. */
  readonly onProgress?: (line: string) => void;
}

export interface RealCluster extends AsyncDisposable {
  /** `https://127.0.0.1:<port>` */
  readonly server: string;
  /** PEM */
  readonly ca: string;
  /** Of the user `admin` in the group `system:masters`. */
  readonly adminToken: string;
  /** Of the user `jane` in the group `humans`: no ServiceAccount, and without any rights. */
  readonly janeToken: string;
  /** Signs what TokenRequest issues. */
  readonly issuer: string;
  /** Accepted as well, but named in no discovery document. */
  readonly secondIssuer: string;
  /** The API server's own audience. */
  readonly apiAudience: string;
  /** Private RSA key (RS256) that TokenRequest signs with. */
  readonly signingKey: KeyObject;
  readonly signingKeyId: string;
  /** Private P-256 key (ES256) whose signatures are accepted too. */
  readonly secondSigningKey: KeyObject;
  readonly secondSigningKeyId: string;
  /** `1.36.3` */
  readonly version: string;
  /** SIGSTOP: connections are accepted by the system, and then nothing answers. */
  pauseApiserver(): void;
  resumeApiserver(): void;
  /** SIGKILL and a start on the same port, with the same keys and data; resolves when it is ready. */
  restartApiserver(): Promise<void>;
  /** Another kube-apiserver with the same etcd, keys and users, whose way to etcd can be blocked. */
  addReplica(): Promise<RealReplica>;
  /** Makes etcd forget all revisions but the latest, as kube-apiserver does every few minutes. */
  compactEtcd(): Promise<void>;
  /** Keeps what etcd holds. */
  backUpEtcd(): Promise<void>;
  /** Gives etcd what it held at the last backup, and starts kube-apiserver on it; resolves when it is ready. */
  restoreEtcd(): Promise<void>;
  /** SIGKILL; the data stays. */
  stopEtcd(): Promise<void>;
  /** Resolves when etcd and kube-apiserver are ready again. */
  startEtcd(): Promise<void>;
  /** Ends both programs and removes their folder. If this process ends without it, the same is done from outside. */
  stop(): Promise<void>;
}

export interface RealReplica {
  /** `https://127.0.0.1:<port>` */
  readonly server: string;
  /** PEM; not that of the first one. */
  readonly ca: string;
  /** Cuts it off from etcd: connections stay open, and nothing passes. */
  cutOff(): void;
  reconnect(): void;
}

/**
 * A real API server on a free loopback port: kube-apiserver and etcd, ready in about 3 seconds. There is no controller
 * and no kubelet: make Nodes, ServiceAccounts and Pods by hand, and delete Pods with `gracePeriodSeconds: 0`.
 *
 * @throws if there are no binaries (see `findOrBuild`), or with the end of the program's log if one does not start.
 */
export async function startKubeApiserver(options: RealClusterOptions = {}): Promise<RealCluster> {
  const onProgress = options.onProgress ?? ((line: string) => console.error(line));
  const binaries = await findOrBuild(options.version, onProgress);
  const folder = await mkdtemp(path.join(tmpdir(), 'kube-apiserver-'));
  const inFolder = (name: string): string => path.join(folder, name);
  const reaper = startReaper(folder);

  let etcd: ServerProcess | undefined;
  let apiserver: ServerProcess | undefined;
  const replicas: ServerProcess[] = [];
  const proxies: PausableProxy[] = [];
  const watchOver = (): void => {
    reaper.watchOver([etcd, apiserver, ...replicas].flatMap((server) => server?.pid ?? []));
  };
  const stop = async (): Promise<void> => {
    for (const server of [apiserver, ...replicas]) await server?.kill();
    await etcd?.kill();
    apiserver = undefined;
    replicas.length = 0;
    etcd = undefined;
    watchOver();
    for (const proxy of proxies.splice(0)) await proxy[Symbol.asyncDispose]();
    await reaper.reap();
  };

  try {
    const [port, etcdPort, etcdPeerPort] = await freePorts(3);
    const server = `https://127.0.0.1:${port}`;
    const etcdUrl = `http://127.0.0.1:${etcdPort}`;
    const etcdPeerUrl = `http://127.0.0.1:${etcdPeerPort}`;

    const launchEtcd = async (): Promise<void> => {
      etcd = startServerProcess(
        binaries.etcd,
        [
          `--data-dir=${inFolder('etcd')}`,
          `--listen-client-urls=${etcdUrl}`,
          `--advertise-client-urls=${etcdUrl}`,
          `--listen-peer-urls=${etcdPeerUrl}`,
          `--initial-advertise-peer-urls=${etcdPeerUrl}`,
          `--initial-cluster=default=${etcdPeerUrl}`,
          '--unsafe-no-fsync',
          '--log-level=error',
        ],
        inFolder('etcd.log'),
      );
      watchOver();
      await etcd.waitUntil(async () => (await getStatus(`${etcdUrl}/health`)) === 200, READY_DEADLINE_MS);
    };

    const etcdIsReady = launchEtcd();
    // Awaited further down; without this a failure in between would end the process as an unhandled rejection.
    etcdIsReady.catch(() => undefined);

    const adminToken = randomBytes(24).toString('hex');
    const janeToken = randomBytes(24).toString('hex');
    const rsa = await makeKeyPair('rsa', { modulusLength: 2048 });
    const ec = await makeKeyPair('ec', { namedCurve: 'P-256' });
    const writeSecret = async (name: string, content: string | Buffer): Promise<void> =>
      writeFile(inFolder(name), content, { mode: 0o600 });
    await writeSecret('signing-key.pem', rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }));
    await writeSecret('second-key.pub', createPublicKey(ec.privateKey).export({ type: 'spki', format: 'pem' }));
    await writeSecret(
      'tokens.csv',
      `${adminToken},admin,admin-uid,system:masters\n${janeToken},jane,jane-uid,humans\n`,
    );

    const readCa = async (name: string): Promise<string> =>
      lastCertificate(await readFile(inFolder(`${name}/apiserver.crt`), 'utf8'));
    const isReady = async (name: string, address: string): Promise<boolean> => {
      // kube-apiserver writes its self-signed certificate while it starts.
      const ca = await readCa(name).catch(() => undefined);
      return ca !== undefined && (await getStatus(`${address}/readyz`, { ca, token: adminToken })) === 200;
    };
    const apiserverIsReady = (): Promise<boolean> => isReady('kube-apiserver', server);
    const spawnApiserver = (name: string, securePort: number | undefined, etcdServer: string): ServerProcess =>
      startServerProcess(
        binaries.kubeApiserver,
        [
          `--etcd-servers=${etcdServer}`,
          '--bind-address=127.0.0.1',
          `--secure-port=${securePort}`,
          `--cert-dir=${inFolder(name)}`,
          `--service-account-issuer=${ISSUER}`,
          `--service-account-issuer=${SECOND_ISSUER}`,
          // Otherwise every issuer is an audience of the API server.
          `--api-audiences=${ISSUER}`,
          `--service-account-signing-key-file=${inFolder('signing-key.pem')}`,
          `--service-account-key-file=${inFolder('signing-key.pem')}`,
          `--service-account-key-file=${inFolder('second-key.pub')}`,
          `--token-auth-file=${inFolder('tokens.csv')}`,
          '--authorization-mode=Node,RBAC',
          // It demands ServiceAccounts named `default`, which only the controller manager makes.
          '--disable-admission-plugins=ServiceAccount',
          '--service-cluster-ip-range=10.0.0.0/24',
          '--endpoint-reconciler-type=none',
        ],
        inFolder(`${name}.log`),
      );
    const launchApiserver = async (): Promise<void> => {
      apiserver = spawnApiserver('kube-apiserver', port, etcdUrl);
      watchOver();
      await apiserver.waitUntil(apiserverIsReady, READY_DEADLINE_MS);
    };

    await etcdIsReady;
    await launchApiserver();

    return {
      server,
      ca: await readCa('kube-apiserver'),
      adminToken,
      janeToken,
      issuer: ISSUER,
      secondIssuer: SECOND_ISSUER,
      apiAudience: ISSUER,
      signingKey: rsa.privateKey,
      signingKeyId: keyId(rsa.privateKey),
      secondSigningKey: ec.privateKey,
      secondSigningKeyId: keyId(ec.privateKey),
      version: binaries.version,
      pauseApiserver() {
        apiserver?.signal('SIGSTOP');
      },
      resumeApiserver() {
        apiserver?.signal('SIGCONT');
      },
      async restartApiserver() {
        await apiserver?.kill();
        await launchApiserver();
      },
      async addReplica() {
        const [replicaPort] = await freePorts(1);
        const name = `replica-${replicas.length + 1}`;
        const proxy = await startPausableProxy(Number(etcdPort));
        proxies.push(proxy);
        const replica = spawnApiserver(name, replicaPort, `http://127.0.0.1:${proxy.port}`);
        replicas.push(replica);
        watchOver();
        const address = `https://127.0.0.1:${replicaPort}`;
        await replica.waitUntil(() => isReady(name, address), READY_DEADLINE_MS);
        return {
          server: address,
          ca: await readCa(name),
          cutOff: () => proxy.pause(),
          reconnect: () => proxy.resume(),
        };
      },
      async compactEtcd() {
        const call = async (method: string, body: object): Promise<unknown> => {
          const response = await fetch(`${etcdUrl}/v3/kv/${method}`, { method: 'POST', body: JSON.stringify(body) });
          if (!response.ok) throw new Error(`etcd: ${await response.text()}`);
          return await response.json();
        };
        const { header } = latest.parse(await call('range', { key: Buffer.from('/').toString('base64') }));
        await call('compaction', { revision: header.revision });
      },
      async backUpEtcd() {
        await etcd?.kill();
        await rm(inFolder('backup'), { recursive: true, force: true });
        await cp(inFolder('etcd'), inFolder('backup'), { recursive: true });
        await launchEtcd();
        await apiserver?.waitUntil(apiserverIsReady, READY_DEADLINE_MS);
      },
      async restoreEtcd() {
        await apiserver?.kill();
        await etcd?.kill();
        await rm(inFolder('etcd'), { recursive: true });
        await cp(inFolder('backup'), inFolder('etcd'), { recursive: true });
        await launchEtcd();
        await launchApiserver();
      },
      async stopEtcd() {
        await etcd?.kill();
      },
      async startEtcd() {
        await etcd?.kill();
        await launchEtcd();
        await apiserver?.waitUntil(apiserverIsReady, READY_DEADLINE_MS);
      },
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The serving certificate comes first in the file, the CA that signed it last. */
function lastCertificate(chain: string): string {
  const last = chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g)?.at(-1);
  if (last === undefined) {
    throw new Error('apiserver.crt holds no certificate');
  }
  return last;
}
