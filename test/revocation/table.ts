import type { Measured } from './measure.ts';

export const header = `| | deleted | refused after: p50 | p99 | at most | last accepted | accepted | came back | 503 | alive refused |
|---|---|---|---|---|---|---|---|---|---|`;

export function row(way: string, kind: string, measured: Measured): string {
  const { refusedAfterMs: times, lastAcceptedAfterMs, accepted, cameBack, unavailable, alive, aliveRefused } = measured;
  const at = (part: number): string => inMs(times[Math.ceil(times.length * part) - 1]);
  const cells = [way, `${kind}s`, at(0.5), at(0.99), at(1), inMs(lastAcceptedAfterMs), accepted, cameBack, unavailable];
  return `| ${[...cells, `${aliveRefused} of ${alive}`].join(' | ')} |`;
}

const inMs = (ms = Number.NaN): string => `${ms < 100 ? ms.toFixed(1) : Math.round(ms).toLocaleString('en')} ms`;
