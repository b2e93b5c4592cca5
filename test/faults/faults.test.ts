import { simulatedTestCluster } from '../cluster/conformance/simulated-test-cluster.ts';
import { defineFaultSuite } from './define-fault-suite.ts';
import { faults } from './faults.ts';

defineFaultSuite({ start: () => simulatedTestCluster('1.36'), faults });
