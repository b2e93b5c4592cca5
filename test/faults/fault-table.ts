import type { Observation } from './observe.ts';

const heads = [
  'fault',
  'new callers',
  'known',
  'bad tokens',
  'longest wait',
  'machine',
  'reviews sent',
  'recovered after',
];

/**
 * What callers saw of each fault while it lasted, how long they waited at most, and those who did not wait for the
 * service (`machine`), what the API server was sent, and how long after its end all was well.
 */
export class FaultTable {
  readonly #rows: (readonly string[])[] = [];

  add(name: string, { during, calls, machineMs, reviewsSent, recoveryMs }: Observation): void {
    const statuses = (...kinds: readonly string[]): string => {
      const seen = during.filter(({ kind }) => kinds.includes(kind)).map(({ status }) => status);
      return [...new Set(seen)].toSorted((a, b) => a - b).join(', ') || '-';
    };
    this.#rows.push([
      name,
      statuses('new', 'returning'),
      statuses('known'),
      statuses('forged', 'refused', 'expired', 'for someone else', 'no token', 'no JWT'),
      `${Math.round(Math.max(...calls.map(({ tookMs }) => tookMs)))} ms`,
      `${Math.round(machineMs)} ms`,
      String(reviewsSent),
      `${Math.round(recoveryMs)} ms`,
    ]);
  }

  toString(): string {
    const all = [heads, ...this.#rows];
    const widths = heads.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
    return all
      .map((row) =>
        row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd(),
      )
      .join('\n');
  }
}
