import type { Measured } from './callers.ts';
import type { FloodAnswer } from './flood.ts';
import type { Scenario } from './scenarios.ts';

/** How much longer than in quiet times honest callers may wait, at the 99th percentile. */
const mostSlowdown = 2;
/** What the heap may grow by, once a fifth of the flood has filled the caches: 100,000 tokens are 100 MB. */
const mostGrowthBytes = 4 * 1024 * 1024;

export interface Phase {
  readonly known: Measured;
  readonly fresh: Measured;
}

/** What a flood came to, all rounds together. */
export interface Result {
  readonly scenario: Scenario;
  readonly tokens: number;
  readonly quiet: Phase;
  readonly flooded: Phase;
  readonly flood: FloodAnswer;
  /** Of its tokens. */
  readonly reviews: number;
  /** From the first round to the last, the quiet ones included. */
  readonly seconds: number;
  /** At the end of each round. */
  readonly heapBytes: readonly number[];
  /** The part of a core that the service took. */
  readonly cpuShare: number;
}

export const phasesTogether = (one: Phase, other: Phase): Phase => ({
  known: bothMeasured(one.known, other.known),
  fresh: bothMeasured(one.fresh, other.fresh),
});
const bothMeasured = (one: Measured, other: Measured): Measured => ({
  latenciesMs: [...one.latenciesMs, ...other.latenciesMs],
  outcomes: sum(one.outcomes, other.outcomes),
});
export const floodsTogether = (one: FloodAnswer, other: FloodAnswer): FloodAnswer => ({
  tookMs: one.tookMs + other.tookMs,
  outcomes: sum(one.outcomes, other.outcomes),
});

type Counts = Readonly<Record<string, number>>;

function sum(one: Counts, other: Counts): Counts {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries([...names].map((name) => [name, (one[name] ?? 0) + (other[name] ?? 0)]));
}

function percentile(part: number, { latenciesMs }: Measured): number {
  return latenciesMs.toSorted((a, b) => a - b)[Math.ceil(latenciesMs.length * part) - 1] ?? NaN;
}

const slowdown = ({ quiet, flooded }: Result, kind: keyof Phase): number =>
  percentile(0.99, flooded[kind]) / percentile(0.99, quiet[kind]);
const allowed = ({ scenario, seconds }: Result): number => Math.ceil(scenario.reviewsAllowed(seconds));
const filled = ({ heapBytes }: Result): number => heapBytes[Math.floor(heapBytes.length / 5)] ?? NaN;
const last = ({ heapBytes }: Result): number => heapBytes.at(-1) ?? NaN;

export function row(result: Result): object {
  const { scenario, quiet, flooded, flood, reviews, cpuShare } = result;
  const compared = (part: number, kind: keyof Phase): string =>
    [quiet, flooded].map((phase) => percentile(part, phase[kind]).toFixed(1)).join(' → ');
  const both = (kind: keyof Phase): string =>
    `${compared(0.5, kind)}, ${compared(0.99, kind)} (× ${slowdown(result, kind).toFixed(2)})`;
  const megabytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);
  return {
    flood: scenario.name,
    from: scenario.isNeighbour ? 'same address' : 'another',
    'a second': Math.round((sumOf(flood.outcomes) / flood.tookMs) * 1000),
    'came to': told(flood.outcomes),
    reviews: allowed(result) === Infinity ? `${reviews}` : `${reviews} of at most ${allowed(result)}`,
    'cached: p50, p99 ms': both('known'),
    'first: p50, p99 ms': both('fresh'),
    'heap MB': [filled(result), last(result)].map(megabytes).join(' → '),
    CPU: `${Math.round(cpuShare * 100)} %`,
  };
}

const sumOf = (counts: Counts): number => Object.values(counts).reduce((total, one) => total + one, 0);
const told = (counts: Counts): string =>
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');

export function brokenPromises(result: Result): string[] {
  const { scenario, quiet, flooded, flood, reviews } = result;
  const isHonestServed = [quiet.known, quiet.fresh, flooded.known, flooded.fresh].every(
    ({ outcomes }) => outcomes['200'] === sumOf(outcomes),
  );
  const checks: Readonly<Record<string, boolean>> = {
    [`${reviews} of its tokens were reviewed`]: reviews <= allowed(result),
    [`its tokens came to ${told(flood.outcomes)}`]: Object.keys(flood.outcomes).every((one) =>
      scenario.outcomes.includes(one),
    ),
    [`only ${sumOf(flood.outcomes)} of its tokens were sent`]: sumOf(flood.outcomes) >= result.tokens,
    [`honest callers met ${told(sum(flooded.known.outcomes, flooded.fresh.outcomes))}`]: isHonestServed,
    [`cached identities took ${slowdown(result, 'known').toFixed(2)} times as long`]:
      slowdown(result, 'known') <= mostSlowdown,
    [`first requests took ${slowdown(result, 'fresh').toFixed(2)} times as long`]:
      slowdown(result, 'fresh') <= mostSlowdown,
    [`the heap grew by ${last(result) - filled(result)} bytes`]: last(result) - filled(result) <= mostGrowthBytes,
  };
  return Object.entries(checks)
    .filter(([, isKept]) => !isKept)
    .map(([what]) => `${scenario.name}: ${what}`);
}
