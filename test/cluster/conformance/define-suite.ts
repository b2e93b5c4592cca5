import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { readClusterInfo } from '../cluster-info.ts';
import { forVersion } from './by-version.ts';
import { type Outcome, runScenarios } from './run-scenarios.ts';
import type { Scenario } from './scenario.ts';
import { startTestCluster, type TestCluster } from './test-cluster.ts';

const DEADLINE_MS = 300_000;

/** Each scenario as a test of its own, on the cluster that this run is for. */
export async function defineConformanceSuite(themes: Readonly<Record<string, readonly Scenario[]>>): Promise<void> {
  const info = await readClusterInfo();
  const isGiven = info?.kind === 'given';
  const isRun = ({ needsSecrets = false, needsBareServer = false }: Scenario): boolean =>
    !isGiven || !(needsSecrets || needsBareServer);

  let cluster: TestCluster | undefined;
  let outcomes: ReadonlyMap<Scenario, Outcome> = new Map();
  beforeAll(async () => {
    cluster = await startTestCluster();
    outcomes = await runScenarios(cluster, Object.values(themes).flat().filter(isRun), progress);
  }, DEADLINE_MS);
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  for (const [theme, scenarios] of Object.entries(themes)) {
    describe(theme, () => {
      for (const scenario of scenarios) {
        (isRun(scenario) ? test : test.skip)(scenario.name, () => {
          const outcome = outcomes.get(scenario);
          if (outcome === undefined || cluster === undefined) throw new Error('The scenario was not observed');
          if ('failed' in outcome) throw outcome.failed;
          expect(outcome.observed).toEqual(forVersion(scenario.expected, cluster.version));
        });
      }
    });
  }
}

/** Only where somebody watches: a real run takes more than a minute. */
function progress(line: string): void {
  if (process.env['TEST_CLUSTER_PROGRESS']) process.stderr.write(`  ${line}\n`);
}
