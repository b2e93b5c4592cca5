// Floods a service with tokens while honest callers use it, and compares with what they see in quiet times:
// `node test/floods/run.ts [--tokens 100000] [--per-second 1000] [--rounds 50] [--only 'forged, a known key ID']...`.
// Cluster, service, flood and callers each have a process. Ends with a table, and 1 where a promise was broken.
import { parseArgs } from 'node:util';
import { startSimulatedCluster, type SimulatedCluster } from '../../src/testing/simulated-cluster/simulated-cluster.ts';
import type { CallersAnswer, CallersQuestion } from './callers.ts';
import { Child } from './child.ts';
import type { FloodAnswer, FloodQuestion } from './flood.ts';
import { brokenPromises, floodsTogether, type Phase, type Result, row } from './result.ts';
import { type Claims, type Scenario, scenarios } from './scenarios.ts';
import type { ServiceQuestion, ServiceReport } from './service.ts';

const { values } = parseArgs({
  options: {
    tokens: { type: 'string', default: '100000' },
    'per-second': { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '50' },
    only: { type: 'string', multiple: true },
  },
});
const [tokens, perSecond, rounds] = [Number(values.tokens), Number(values['per-second']), Number(values.rounds)];
/** Short ones, so that whatever else the machine does meets quiet and flood alike. */
const tokensOfRound = Math.ceil(tokens / rounds);
const roundMs = (tokensOfRound / perSecond) * 1000;

const honestAddress = '127.0.0.1';
const otherAddress = '127.0.0.2';
const knownPerSecond = 100;
const freshPerSecond = 20;

const chosen = scenarios.filter(({ name }) => values.only?.includes(name) ?? true);
if (chosen.length === 0) throw new Error(`The floods are: ${scenarios.map(({ name }) => name).join('; ')}`);
const results: Result[] = [];
for (const scenario of chosen) {
  console.error(`${scenario.name}: ${rounds} times ${tokensOfRound} tokens, ${perSecond} a second`);
  results.push(await run(scenario));
}
console.table(results.map(row));
const broken = results.flatMap(brokenPromises);
for (const line of broken) console.log(`BROKEN ${line}`);
process.exitCode = broken.length === 0 ? 0 : 1;

async function run(scenario: Scenario): Promise<Result> {
  await using cluster = await startSimulatedCluster();
  await using service = new Child('service.ts', '--expose-gc');
  await using flood = new Child('flood.ts');
  await using callers = new Child('callers.ts');
  const report = (): Promise<ServiceReport> => service.ask({ report: true } satisfies ServiceQuestion);
  using _ = scenario.disturb?.(cluster);
  const victim = claimsOf(await (await cluster.createPod('shop/victim-1')).token({ audiences: 'orders' }));
  // Before the service looks for keys: it may add one.
  const forgery = scenario.forgery(cluster, victim);
  const token = cluster.createUser('reviewer', { groups: ['system:masters'] });
  const { port } = await service.ask<{ port: number }>({ start: { server: cluster.server, ca: cluster.ca, token } });
  const mint = await minter(cluster, scenario);
  const known = Array.from({ length: 20 }, mint);
  const callersFor = (forMs: number): CallersQuestion => {
    const fresh = Array.from({ length: (forMs / 1000) * freshPerSecond + 5 }, mint);
    return { port, localAddress: honestAddress, known, knownPerSecond, fresh, freshPerSecond, forMs };
  };
  const question: FloodQuestion = {
    port,
    localAddress: scenario.isNeighbour ? honestAddress : otherAddress,
    tokens: tokensOfRound,
    perSecond,
    forgery,
  };
  // Everything is compiled and connected before anything is measured.
  await callers.ask(callersFor(2_000));
  const [quiet, flooded, floods, heapBytes]: [Phase[], Phase[], FloodAnswer[], number[]] = [[], [], [], []];
  let [reviews, cpuMs] = [0, 0];
  const began = performance.now();
  for (let round = 0; round < rounds; round += 1) {
    quiet.push(await callers.ask(callersFor(roundMs)));
    const honest = callersFor(roundMs);
    const before = await report();
    const [answer, phase] = await Promise.all([flood.ask<FloodAnswer>(question), callers.ask<CallersAnswer>(honest)]);
    const after = await report();
    floods.push(answer);
    flooded.push(phase);
    heapBytes.push(after.heapBytes);
    cpuMs += after.cpuMs - before.cpuMs;
    reviews += ended(after) - ended(before) - (phase.fresh.outcomes['200'] ?? 0);
  }
  const all = floods.reduce(floodsTogether);
  return {
    scenario,
    tokens,
    quiet,
    flooded,
    flood: all,
    reviews,
    seconds: (performance.now() - began) / 1000,
    heapBytes,
    cpuShare: cpuMs / all.tookMs,
  };
}

function ended({ reviews }: ServiceReport): number {
  return reviews.authenticated + reviews.rejected + reviews.unavailable;
}

/** New tokens of Pods, a Pod after the other. */
async function minter(cluster: SimulatedCluster, { isSignerUnpublished }: Scenario): Promise<() => string> {
  const pods = await Promise.all(
    Array.from({ length: 20 }, (_, index) => cluster.createPod(`shop/web-${index}`, { serviceAccount: 'web' })),
  );
  const claims = await Promise.all(pods.map(async (pod) => claimsOf(await pod.token({ audiences: 'orders' }))));
  const key = isSignerUnpublished ? cluster.addSigningKey('RS256', { published: false }) : cluster.signingKey;
  let serial = 0;
  return () => {
    serial += 1;
    return cluster.signToken({ ...claims[serial % claims.length], serial }, { key });
  };
}

function claimsOf(token: string): Claims {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims;
}
