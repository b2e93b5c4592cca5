import { afterAll, beforeAll, test } from '@jest/globals';
import type { TestCluster } from '../cluster/conformance/test-cluster.ts';
import { type Callers, createCallers } from './callers.ts';
import { expectPromisesKept } from './expect-promises-kept.ts';
import type { Fault } from './fault.ts';
import { FaultTable } from './fault-table.ts';
import { observe } from './observe.ts';

const timeoutMs = 120_000;

export interface FaultSuite {
  readonly start: () => Promise<TestCluster>;
  readonly faults: readonly Fault[];
  /** Those that happen to the API server itself, and so one at a time. */
  readonly faultsOfTheServer?: readonly Fault[];
}

/** Each fault as a test of its own. Most of a fault is waiting, so several happen at once, each to a service of its own. */
export function defineFaultSuite({ start, faults, faultsOfTheServer = [] }: FaultSuite): void {
  const table = new FaultTable();
  let cluster: TestCluster;
  let callers: Callers;
  beforeAll(async () => {
    cluster = await start();
    callers = await createCallers(cluster);
  }, timeoutMs);
  afterAll(async () => {
    if (process.env['TEST_CLUSTER_PROGRESS'] ?? process.env['FAULT_TABLE']) {
      process.stderr.write(`\n${String(table)}\n`);
    }
    await cluster?.[Symbol.asyncDispose]();
  });

  const keepsItsPromises = async (fault: Fault, isOfTheServer: boolean): Promise<void> => {
    const observed = await observe(cluster, callers, fault, isOfTheServer);
    table.add(fault.name, observed);
    expectPromisesKept(fault, callers.validCaller, observed);
  };
  for (const fault of faults) test.concurrent(fault.name, () => keepsItsPromises(fault, false), timeoutMs);
  for (const fault of faultsOfTheServer) test(fault.name, () => keepsItsPromises(fault, true), timeoutMs);
}
