import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { buildWithGo } from './build-with-go.ts';
import { defaultKubernetesVersion, type KubernetesVersion } from './kubernetes-version.ts';

const run = promisify(execFile);

export interface Binaries {
  readonly kubeApiserver: string;
  readonly etcd: string;
  /** As kube-apiserver names itself, without the `v`: `1.36.3`. */
  readonly version: string;
}

/**
 * kube-apiserver and etcd: those in the folder `KUBEBUILDER_ASSETS`, else built with Go once and kept in a cache folder.
 *
 * @param version `undefined`: whatever `KUBEBUILDER_ASSETS` holds, else the default version.
 * @throws if `KUBEBUILDER_ASSETS` lacks a program or holds another version, if Go is missing or too old, or the build fails.
 */
export async function findOrBuild(
  version: KubernetesVersion | undefined,
  onProgress: (line: string) => void,
): Promise<Binaries> {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  const folder =
    assets === undefined || assets === ''
      ? await buildWithGo(version ?? defaultKubernetesVersion, onProgress)
      : path.resolve(assets);
  const kubeApiserver = await executable(folder, 'kube-apiserver');
  const etcd = await executable(folder, 'etcd');
  const actual = await versionOf(kubeApiserver);
  if (version !== undefined && !actual.startsWith(`${version}.`)) {
    throw new Error(`kube-apiserver ${version} was asked for, but the one in ${folder} is ${actual}`);
  }
  return { kubeApiserver, etcd, version: actual };
}

async function executable(folder: string, program: string): Promise<string> {
  const file = path.join(folder, program);
  try {
    await access(file, constants.X_OK);
  } catch (error) {
    throw new Error(`${folder} (KUBEBUILDER_ASSETS) holds no executable ${program}`, { cause: error });
  }
  return file;
}

async function versionOf(kubeApiserver: string): Promise<string> {
  const { stdout } = await run(kubeApiserver, ['--version']);
  const version = /^Kubernetes v(\S+)/.exec(stdout)?.[1];
  if (version === undefined) {
    throw new Error(`${kubeApiserver} --version answered ${JSON.stringify(stdout)}`);
  }
  return version;
}
