import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';

import { readClusterInfo } from '../cluster-info.ts';
import { simulatedTestCluster } from '../conformance/simulated-test-cluster.ts';
import { startTestCluster, type TestCluster } from '../conformance/test-cluster.ts';
import { play } from '../histories/play.ts';
import { histories, historyOf, type Step } from '../histories/step.ts';
import { type KubernetesVersion, parseKubernetesVersion } from '../kubernetes-version.ts';

// Random histories, played on this run's cluster and on a simulated one. `HISTORIES_SEEDS=7,8` plays others than these,
// `HISTORIES_STEPS=300` longer ones.
const seeds = (process.env['HISTORIES_SEEDS'] ?? Array.from({ length: 20 }, (_, index) => index + 1).join())
  .split(',')
  .map(Number);
const steps = Number(process.env['HISTORIES_STEPS'] ?? 100);
const shrinkForMs = 600_000;

interface Difference {
  readonly history: readonly Step[];
  readonly here: string | undefined;
  readonly simulated: string | undefined;
}

test(`${seeds.length} random histories of ${steps} steps go as they do on a simulated cluster`, async () => {
  await using cluster = await sharedCluster();
  const differences = await Promise.all(
    seeds.map(async (seed) => ({ seed, difference: await firstDifference(cluster, historyOf(steps, seed)) })),
  );
  const found = differences.find(({ difference }) => difference !== undefined);
  if (found?.difference === undefined) return;
  const shrunk = await shrink(cluster, found.difference);
  // The history is what makes the difference: it is to be read.
  expect({ seed: found.seed, ...shrunk }).toBeUndefined();
}, 1_800_000);

test('a history is the same for the same seed, and has all kinds of steps', () => {
  expect(historyOf(steps, 1)).toEqual(historyOf(steps, 1));
  const kinds = new Set(seeds.flatMap((seed) => historyOf(100, seed).map((step) => step.do)));
  expect([...kinds].toSorted()).toEqual(['bind', 'create', 'delete', 'review', 'wait']);
});

interface SharedCluster extends AsyncDisposable {
  readonly version: KubernetesVersion;
  /** `undefined` where this run has none, and simulated clusters are compared with one another. */
  readonly real: TestCluster | undefined;
}

async function sharedCluster(): Promise<SharedCluster> {
  const cluster = await startTestCluster();
  const isReal = (await readClusterInfo()) !== undefined;
  return {
    version: parseKubernetesVersion(cluster.version),
    real: isReal ? cluster : undefined,
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}

async function firstDifference(cluster: SharedCluster, history: readonly Step[]): Promise<Difference | undefined> {
  await using simulated = await simulatedTestCluster(cluster.version);
  // Simulated time is one for a whole cluster, so where there is no real one each history has a cluster of its own.
  await using own = cluster.real ? undefined : await simulatedTestCluster(cluster.version);
  const here = own ?? cluster.real ?? simulated;
  const [answers, expected] = await Promise.all([play(here, history), play(simulated, history)]);
  const index = history.findIndex((_, step) => answers[step] !== expected[step]);
  if (index === -1) return undefined;
  // What comes after the first difference does not matter to it.
  return { history: history.slice(0, index + 1), here: answers[index], simulated: expected[index] };
}

/** A shorter history that differs, found within bounded time: on a real cluster every try takes as long as its waits. */
async function shrink(cluster: SharedCluster, difference: Difference): Promise<Difference> {
  let shortest = difference;
  const property = fc.asyncProperty(histories(difference.history.length), async (history) => {
    const found = await firstDifference(cluster, history);
    if (found !== undefined && found.history.length <= shortest.history.length) shortest = found;
    return found === undefined;
  });
  await fc.check(property, {
    examples: [[difference.history]],
    numRuns: 1,
    interruptAfterTimeLimit: shrinkForMs,
  });
  return shortest;
}
