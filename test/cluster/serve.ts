// Starts a real API server, writes a kubeconfig of its administrator, and keeps it running until Ctrl-C:
// `node test/cluster/serve.ts --kubeconfig FILE [--version 1.36]`.
import { once } from 'node:events';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { startKubeApiserver } from './kube-apiserver.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { parseKubernetesVersion } from './kubernetes-version.ts';

const { values } = parseArgs({ options: { kubeconfig: { type: 'string' }, version: { type: 'string' } } });
if (values.kubeconfig === undefined) {
  throw new Error('Name the file to write: --kubeconfig FILE');
}
const kubeconfig = path.resolve(values.kubeconfig);
const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);

await using cluster = await startKubeApiserver(
  values.version === undefined ? {} : { version: parseKubernetesVersion(values.version) },
);
await writeKubeconfig(kubeconfig, { server: cluster.server, ca: cluster.ca, token: cluster.adminToken });
console.log(`kube-apiserver ${cluster.version} listens on ${cluster.server}; its kubeconfig is ${kubeconfig}`);
console.log('Ctrl-C stops it');
const keepAlive = setInterval(() => undefined, 60_000);
await interrupted;
clearInterval(keepAlive);
