/** The Kubernetes versions that can be built here: each has its Go module in `go/<version>`. */
export const kubernetesVersions = ['1.33', '1.36', '1.37'] as const;

export type KubernetesVersion = (typeof kubernetesVersions)[number];

export const defaultKubernetesVersion: KubernetesVersion = '1.36';

/** Throws, naming the known versions, unless `version` is one of them. */
export function parseKubernetesVersion(version: string): KubernetesVersion {
  const known = kubernetesVersions.find((candidate) => candidate === version);
  if (known === undefined) {
    throw new Error(`Kubernetes ${version} is not one of ${kubernetesVersions.join(', ')}`);
  }
  return known;
}
