import { createReviewer } from './create-reviewer.ts';
import { observe } from './observe.ts';
import type { Presented, Scenario } from './scenario.ts';
import { Scene } from './scene.ts';
import type { TestCluster } from './test-cluster.ts';

const CONCURRENCY = 6;

export type Outcome = { readonly observed: unknown } | { readonly failed: unknown };

interface Arranged {
  readonly scenario: Scenario;
  readonly scene: Scene;
  readonly presented: Presented;
}

/**
 * Makes all situations and observes each once its time has come. Time elapses once for all of them, so that this takes
 * little more than the longest wait.
 */
export async function runScenarios(
  cluster: TestCluster,
  scenarios: readonly Scenario[],
  onProgress: (line: string) => void,
): Promise<ReadonlyMap<Scenario, Outcome>> {
  const outcomes = new Map<Scenario, Outcome>();
  const reviewer = await createReviewer(cluster);
  const arrange = async (scenario: Scenario): Promise<Arranged> => {
    const scene = new Scene(cluster, reviewer);
    return { scenario, scene, presented: await scenario.situation(scene) };
  };
  const look = async ({ scenario, scene, presented }: Arranged): Promise<void> => {
    outcomes.set(scenario, { observed: await observe(scene, presented) });
  };
  const attempt = async (scenario: Scenario, action: () => Promise<void>): Promise<void> => {
    try {
      await action();
    } catch (error) {
      outcomes.set(scenario, { failed: error });
    }
  };

  const immediate = scenarios.filter(({ waitMs = 0 }) => waitMs === 0);
  onProgress(`${immediate.length} scenarios that are observed at once`);
  await inParallel(immediate, (scenario) => attempt(scenario, async () => look(await arrange(scenario))));

  const waiting = scenarios.filter(({ waitMs = 0 }) => waitMs > 0);
  const arranged: Arranged[] = [];
  onProgress(`${waiting.length} scenarios are made, to be observed later`);
  await inParallel(waiting, (scenario) =>
    attempt(scenario, async () => {
      arranged.push(await arrange(scenario));
    }),
  );
  const start = cluster.clock.monotonic();
  const waits = new Set(waiting.map(({ waitMs = 0 }) => waitMs));
  for (const waitMs of [...waits].toSorted((a, b) => a - b)) {
    const due = arranged.filter(({ scenario }) => scenario.waitMs === waitMs);
    onProgress(`${due.length} scenarios are observed ${waitMs / 1000} s after they were made`);
    await cluster.elapse(Math.max(0, waitMs - (cluster.clock.monotonic() - start)));
    await inParallel(due, (one) => attempt(one.scenario, () => look(one)));
  }
  return outcomes;
}

async function inParallel<T>(items: readonly T[], action: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await action(next);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
}
