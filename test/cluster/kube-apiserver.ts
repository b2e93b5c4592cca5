import { createPublicKey, generateKeyPair, type KeyObject, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { findOrBuild } from './binaries.ts';
import { freePorts } from './free-ports.ts';
import { getStatus } from './get-status.ts';
import { keyId } from './key-id.ts';
import type { KubernetesVersion } from './kubernetes-version.ts';
import { startReaper } from './reaper.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

const makeKeyPair = promisify(generateKeyPair);

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
  /** SIGKILL; the data stays. */
  stopEtcd(): Promise<void>;
  /** Resolves when etcd and kube-apiserver are ready again. */
  startEtcd(): Promise<void>;
  /** Ends both programs and removes their folder. If this process ends without it, the same is done from outside. */
  stop(): Promise<void>;
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
  const watchOver = (): void => {
    reaper.watchOver([etcd, apiserver].flatMap((server) => server?.pid ?? []));
  };
  const stop = async (): Promise<void> => {
    await apiserver?.kill();
    await etcd?.kill();
    apiserver = undefined;
    etcd = undefined;
    watchOver();
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

    const readCa = async (): Promise<string> =>
      lastCertificate(await readFile(inFolder('certs/apiserver.crt'), 'utf8'));
    const apiserverIsReady = async (): Promise<boolean> => {
      // kube-apiserver writes its self-signed certificate while it starts.
      const ca = await readCa().catch(() => undefined);
      return ca !== undefined && (await getStatus(`${server}/readyz`, { ca, token: adminToken })) === 200;
    };
    const launchApiserver = async (): Promise<void> => {
      apiserver = startServerProcess(
        binaries.kubeApiserver,
        [
          `--etcd-servers=${etcdUrl}`,
          '--bind-address=127.0.0.1',
          `--secure-port=${port}`,
          `--cert-dir=${inFolder('certs')}`,
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
        inFolder('kube-apiserver.log'),
      );
      watchOver();
      await apiserver.waitUntil(apiserverIsReady, READY_DEADLINE_MS);
    };

    await etcdIsReady;
    await launchApiserver();

    return {
      server,
      ca: await readCa(),
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
