import type { Machine } from './machine.ts';
import { type Goal, isMet, type Row } from './row.ts';
import type { Spread } from './spread.ts';

export function table(rows: readonly Row[], { cpu, cores, node, go, load, packages }: Machine): string {
  const lines = [['measure', 'measured', 'quartiles', 'goal', 'met'], ...rows.map(cells)];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  const text = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const [header = '', ...body] = text;
  const notes = rows.flatMap(({ note, measure, unit }) =>
    note === undefined ? [] : [`- ${measure}, ${unit}: ${note}`],
  );
  const judged = rows.map(isMet).filter((met) => met !== undefined);
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  return [
    header,
    '-'.repeat(header.length),
    ...body,
    '',
    `${judged.filter((met) => met).length} of ${judged.length} goals are met.`,
    '',
    ...new Set(notes),
    '',
    `${cpu}, ${cores} cores; Node ${node}; ${go ?? 'no Go'}; load ${load.toFixed(1)}; ${versions.join(', ')}`,
  ].join('\n');
}

function cells(row: Row): string[] {
  const { measure, unit, value, goal } = row;
  const met = isMet(row);
  return [
    `${measure}, ${unit}`,
    value === undefined ? 'not measured' : formatted(value.median),
    value === undefined ? '' : quartiles(value),
    goal === undefined ? '' : inWords(goal),
    met === undefined ? '' : met ? 'yes' : 'NO',
  ];
}

const quartiles = ({ low, high, rounds }: Spread): string =>
  rounds === 1 ? '' : `${formatted(low)}–${formatted(high)} (${rounds})`;

const words = { most: '≤', least: '≥', exactly: '=' } as const;
const inWords = ({ at, value }: Goal): string => `${words[at]} ${value.toLocaleString('en')}`;

export function formatted(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}
