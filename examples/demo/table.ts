import { styleText } from 'node:util';
import type { Outcome } from './outcome.ts';

export interface Row extends Outcome {
  readonly caller: string;
  readonly request: string;
  /** What is not as expected. */
  readonly wrong: readonly string[];
}

const columns = [
  { title: 'caller', width: 31 },
  { title: 'request', width: 24 },
  { title: 'status', width: 9 },
  { title: 'caller is told', width: 18 },
  { title: 'reviews', width: 7 },
] as const;
/** The last column is as wide as there is room for. */
const lastTitle = 'identity, or the reason that the operator sees';
const lastStart = columns.reduce((sum, { width }) => sum + width + 2, 2);
const lastWidth = Math.max((process.stdout.columns ?? 200) - lastStart, lastTitle.length);

/** A table whose rows are printed as they come: plain text, colours on a terminal only. */
export class Table {
  readonly #write: (line: string) => void;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  header(): void {
    this.#write(`  ${line(...columns.map(({ title }) => title), lastTitle)}`);
    this.#write(`  ${line(...columns.map(({ width }) => '─'.repeat(width)), '─'.repeat(lastTitle.length))}`);
  }

  /** What the following rows have in common. */
  section(title: string): void {
    this.#write(`\n  ${coloured('bold', title)}`);
  }

  row({ caller, request, status, told, known, reviews, wrong }: Row): void {
    const good = wrong.length === 0;
    const mark = coloured(good ? 'green' : 'red', good ? '✓' : '✗');
    this.#write(`${mark} ${line(caller, request, status, told, String(reviews).padStart(4), known)}`);
    for (const difference of wrong) this.#write(coloured('red', `    ${difference}`));
  }
}

function line(...texts: readonly string[]): string {
  const widths = [...columns.map(({ width }) => width), lastWidth];
  return widths
    .map((width, index) => fitted(texts[index] ?? '', width))
    .join('  ')
    .trimEnd();
}

const fitted = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);

const coloured = (format: 'bold' | 'green' | 'red', text: string): string =>
  styleText(format, text, { stream: process.stdout });
