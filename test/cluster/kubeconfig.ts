import { open } from 'node:fs/promises';

export interface ClusterAccess {
  readonly server: string;
  /** PEM */
  readonly ca: string;
  readonly token: string;
}

/** Writes a kubeconfig that only its owner may read, also where the file existed with wider permissions. */
export async function writeKubeconfig(file: string, { server, ca, token }: ClusterAccess): Promise<void> {
  await using handle = await open(file, 'w', 0o600);
  await handle.chmod(0o600);
  await handle.writeFile(`apiVersion: v1
kind: Config
clusters:
  - name: test
    cluster:
      server: ${JSON.stringify(server)}
      certificate-authority-data: ${Buffer.from(ca).toString('base64')}
users:
  - name: admin
    user:
      token: ${JSON.stringify(token)}
contexts:
  - name: test
    context:
      cluster: test
      user: admin
current-context: test
`);
}
