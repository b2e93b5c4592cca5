import { test } from '@jest/globals';

import { defineFaultSuite } from '../../faults/define-fault-suite.ts';
import { faults } from '../../faults/faults.ts';
import { faultsOfTheServer } from '../../faults/faults-of-the-server.ts';
import { readClusterInfo } from '../cluster-info.ts';
import { simulatedTestCluster } from '../conformance/simulated-test-cluster.ts';
import { startedTestCluster } from '../conformance/started-test-cluster.ts';
import type { TestCluster } from '../conformance/test-cluster.ts';
import { type RealCluster, startKubeApiserver } from '../kube-apiserver.ts';
import { defaultKubernetesVersion, parseKubernetesVersion } from '../kubernetes-version.ts';
import { startedCluster } from '../started-cluster.ts';

const info = await readClusterInfo();
let real: RealCluster | undefined;

function processes(): RealCluster {
  if (real === undefined) throw new Error('The cluster has not been started');
  return real;
}

/** A cluster of this suite's own, as it is to be stopped and killed. */
async function startRealCluster(): Promise<TestCluster> {
  const cluster = await startKubeApiserver();
  real = cluster;
  const testCluster = startedTestCluster(startedCluster(cluster, ''));
  return {
    ...testCluster,
    async [Symbol.asyncDispose]() {
      await testCluster[Symbol.asyncDispose]();
      await cluster.stop();
    },
  };
}

const version = parseKubernetesVersion(process.env['TEST_CLUSTER_VERSION'] ?? defaultKubernetesVersion);

if (info === undefined) {
  defineFaultSuite({ start: () => simulatedTestCluster(version), faults });
} else if (info.kind === 'started') {
  defineFaultSuite({ start: startRealCluster, faults, faultsOfTheServer: faultsOfTheServer(processes) });
} else {
  test.skip('faults, as nobody gave this cluster to be stopped and killed', () => {});
}
