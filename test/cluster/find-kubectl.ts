import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

import { z } from 'zod';

import { buildKubectl } from './build-with-go.ts';
import type { KubernetesVersion } from './kubernetes-version.ts';

const run = promisify(execFile);
const answer = z.object({ clientVersion: z.object({ gitVersion: z.string() }) });
/** The first whose `kubectl create token` binds tokens to objects. */
const MINIMUM_MINOR = 24;

/**
 * The folder of a kubectl: `KUBEBUILDER_ASSETS` if it holds one, else the first in `PATH` that is new enough, else one that
 * is built with Go once and kept in a cache folder.
 *
 * @param version of the one to build.
 * @throws what keeps it from being built, and that no other was found.
 */
export async function findKubectl(version: KubernetesVersion, onProgress: (line: string) => void): Promise<string> {
  const folders = [process.env['KUBEBUILDER_ASSETS'] ?? '', ...(process.env['PATH'] ?? '').split(path.delimiter)];
  for (const folder of folders.filter((candidate) => candidate !== '')) {
    if (await isNewEnough(path.resolve(folder, 'kubectl'), onProgress)) return path.resolve(folder);
  }
  try {
    return await buildKubectl(version, onProgress);
  } catch (error) {
    const message = `There is no kubectl in KUBEBUILDER_ASSETS or PATH, and none can be built. ${String(error)}`;
    throw new Error(message, { cause: error });
  }
}

async function isNewEnough(kubectl: string, onProgress: (line: string) => void): Promise<boolean> {
  try {
    await access(kubectl, constants.X_OK);
  } catch {
    return false;
  }
  try {
    const { stdout } = await run(kubectl, ['version', '--client', '--output=json'], { timeout: 30_000 });
    const { gitVersion } = answer.parse(JSON.parse(stdout)).clientVersion;
    const [, major, minor] = /^v(\d+)\.(\d+)/.exec(gitVersion) ?? [];
    if (Number(major) > 1 || (Number(major) === 1 && Number(minor) >= MINIMUM_MINOR)) return true;
    onProgress(`${kubectl} is ${gitVersion}: too old, 1.${MINIMUM_MINOR} is the oldest that will do`);
  } catch (error) {
    onProgress(`${kubectl} does not tell its version: ${String(error)}`);
  }
  return false;
}
