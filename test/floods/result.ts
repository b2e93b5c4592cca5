import type { Measured } from './callers.ts';
import type { FloodAnswer } from './flood.ts';
import type { Scenario } from './scenarios.ts';

/** How much longer than in quiet times honest callers may wait, at the 99th percentile. */
const mostSlowdown = 2;
/** What the heap may grow by, once a fifth of the flood has filled the caches: 100,000 tokens are 100 MB. */
const mostGrowthBytes = 2 * 1024 * 1024;

export interface Phase {
  readonly known: Measured;
  readonly fresh: Measured;
}

/** What a flood came to, all rounds together. */
export interface Result {
  readonly scenario: Scenario;
  readonly tokens: number;
  /** Round by round. */
  readonly quiet: readonly Phase[];
  readonly flooded: readonly Phase[];
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

export const floodsTogether = (one: FloodAnswer, other: FloodAnswer): FloodAnswer => ({
  tookMs: one.tookMs + other.tookMs,
  outcomes: sum(one.outcomes, other.outcomes),
});

type Counts = Readonly<Record<string, number>>;

function sum(one: Counts, other: Counts): Counts {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries([...names].map((name) => [name, (one[name] ?? 0) + (other[name] ?? 0)]));
}

function percentile(part: number, numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.ceil(numbers.length * part) - 1] ?? NaN;
}

/** The percentile of the middle round: whatever makes the whole machine stall spoils some rounds, and not all. */
function percentileOfRounds(part: number, phases: readonly Phase[], kind: keyof Phase): number {
  return percentile(
    0.5,
    phases.map((phase) => percentile(part, phase[kind].latenciesMs)),
  );
}

const slowdown = ({ quiet, flooded }: Result, kind: keyof Phase): number =>
  percentileOfRounds(0.99, flooded, kind) / percentileOfRounds(0.99, quiet, kind);
const allowed = ({ scenario, seconds }: Result): number => Math.ceil(scenario.reviewsAllowed(seconds));
const filled = ({ heapBytes }: Result): number => heapBytes[Math.floor(heapBytes.length / 5)] ?? NaN;
const last = ({ heapBytes }: Result): number => heapBytes.at(-1) ?? NaN;

export function row(result: Result): object {
  const { scenario, quiet, flooded, flood, reviews, cpuShare } = result;
  const compared = (part: number, kind: keyof Phase): string =>
    [quiet, flooded].map((phases) => percentileOfRounds(part, phases, kind).toFixed(1)).join(' → ');
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
  const honest = [...quiet, ...flooded].flatMap(({ known, fresh }) => [known.outcomes, fresh.outcomes]).reduce(sum);
  const checks: Readonly<Record<string, boolean>> = {
    [`${reviews} of its tokens were reviewed`]: reviews <= allowed(result),
    [`its tokens came to ${told(flood.outcomes)}`]: Object.keys(flood.outcomes).every((one) =>
      scenario.outcomes.includes(one),
    ),
    [`only ${sumOf(flood.outcomes)} of its tokens were sent`]: sumOf(flood.outcomes) >= result.tokens,
    [`honest callers met ${told(honest)}`]: honest['200'] === sumOf(honest),
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
