import { labelKeyProblems, labelValueProblems } from './label-rules.ts';

export type Labels = Readonly<Record<string, string>>;
type Requirement = (labels: Labels) => boolean;

const operators = ['in', 'notin', '=', '==', '!=', '>', '<'];

/**
 * A label selector in Kubernetes' syntax, `a=b,c!=d,e in (f, g),!h,i,j>1`: what it returns tells whether it selects an object
 * with these labels. An empty one selects all.
 *
 * @throws {TypeError} in the API server's words
 */
export function parseLabelSelector(text: string): (labels: Labels) => boolean {
  const requirements = parseRequirements(new Tokens(text));
  return (labels) => requirements.every((isMet) => isMet(labels));
}

/** Whether all of these labels are there, as in `matchLabels`. */
export function hasLabels(wanted: Labels, labels: Labels): boolean {
  return Object.entries(wanted).every(([key, value]) => valueOf(labels, key) === value);
}

/** A label may be called like something that every object has. */
const valueOf = (labels: Labels, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined;

/** Symbols and words; an empty one ends them. */
class Tokens {
  readonly #tokens: string[];

  constructor(text: string) {
    this.#tokens = text.match(/==|!=|[!=,()<>]|[^!=,()<>\s]+/g) ?? [];
  }

  get next(): string {
    return this.#tokens[0] ?? '';
  }

  get nextIsWord(): boolean {
    return /^[^!=,()<>]/.test(this.next);
  }

  take(): string {
    return this.#tokens.shift() ?? '';
  }
}

function parseRequirements(tokens: Tokens): Requirement[] {
  const requirements: Requirement[] = [];
  const canBegin = (): boolean => tokens.nextIsWord || tokens.next === '!';
  if (tokens.next === '') return requirements;
  if (!canBegin()) throw new TypeError(`found '${tokens.next}', expected: !, identifier, or 'end of string'`);
  for (;;) {
    requirements.push(parseRequirement(tokens));
    const separator = tokens.take();
    if (separator === '') return requirements;
    if (separator !== ',') throw new TypeError(`found '${separator}', expected: ',' or 'end of string'`);
    if (!canBegin()) throw new TypeError(`found '${tokens.next}', expected: identifier after ','`);
  }
}

function parseRequirement(tokens: Tokens): Requirement {
  const isNegated = tokens.next === '!' && tokens.take() === '!';
  if (!tokens.nextIsWord) throw unreadable(`found '${tokens.next}', expected: identifier`);
  const key = tokens.take();
  const problems = labelKeyProblems(key);
  if (problems.length > 0) throw unreadable(`<nil>: Invalid value: ${JSON.stringify(key)}: ${problems.join('; ')}`);
  if (isNegated) return (labels) => valueOf(labels, key) === undefined;
  if (tokens.next === '' || tokens.next === ',') return (labels) => valueOf(labels, key) !== undefined;

  const operator = tokens.take();
  if (!operators.includes(operator)) throw unreadable(`found '${operator}', expected: in, notin, =, ==, !=, gt, lt`);
  const isSet = operator === 'in' || operator === 'notin';
  const values = isSet ? parseValues(tokens) : [parseValue(tokens)];
  refuseInvalidValues(key, operator, values);
  return requirement(key, operator, values);
}

/** The value of no label. */
const absent = ' ';

function requirement(key: string, operator: string, values: readonly string[]): Requirement {
  const isAmong = (labels: Labels): boolean => values.includes(valueOf(labels, key) ?? absent);
  switch (operator) {
    case '>':
      return (labels) => integer(valueOf(labels, key)) > integer(values[0]);
    case '<':
      return (labels) => integer(valueOf(labels, key)) < integer(values[0]);
    case 'notin':
    case '!=':
      return (labels) => !isAmong(labels);
    default:
      return isAmong;
  }
}

function parseValue(tokens: Tokens): string {
  if (tokens.next === '' || tokens.next === ',') return '';
  if (!tokens.nextIsWord) throw unreadable(`found '${tokens.next}', expected: identifier`);
  return tokens.take();
}

/** `(a, b)`, of which each may be empty. */
function parseValues(tokens: Tokens): string[] {
  const opening = tokens.take();
  if (opening !== '(') throw unreadable(`found '${opening}' expected: '('`);
  if (!tokens.nextIsWord && tokens.next !== ',' && tokens.next !== ')') {
    throw unreadable(`found '${tokens.next}', expected: ',', ')' or identifier`);
  }
  const values: string[] = [];
  for (;;) {
    values.push(tokens.nextIsWord ? tokens.take() : '');
    if (tokens.next !== ',' && tokens.next !== ')') {
      const expected = values.at(-1) === '' ? "',', or identifier" : "',' or ')'";
      throw unreadable(`found '${tokens.next}', expected: ${expected}`);
    }
    if (tokens.take() === ')') return [...new Set(values)].toSorted();
  }
}

function refuseInvalidValues(key: string, operator: string, values: readonly string[]): void {
  const isNumeric = operator === '>' || operator === '<';
  const problems = values.flatMap((value, index) => {
    const invalid = (where: string, why: string): string => `${where}: Invalid value: ${JSON.stringify(value)}: ${why}`;
    const ofValue = labelValueProblems(value);
    return [
      ...(isNumeric && Number.isNaN(integer(value))
        ? [invalid(`values[${index}]`, "for 'Gt', 'Lt' operators, the value must be an integer")]
        : []),
      ...(ofValue.length > 0 ? [invalid(`values[${index}][${key}]`, ofValue.join('; '))] : []),
    ];
  });
  if (problems.length > 0) throw unreadable(problems.length === 1 ? problems.join() : `[${problems.join(', ')}]`);
}

/** As Go reads one of 64 bits; anything else compares as nothing. */
function integer(text = ''): number {
  const [digits] = /^[-+]?\d+$/.exec(text) ?? [];
  if (digits === undefined) return NaN;
  const value = BigInt(digits.replace('+', ''));
  return value === BigInt.asIntN(64, value) ? Number(value) : NaN;
}

function unreadable(why: string): TypeError {
  return new TypeError(`unable to parse requirement: ${why}`);
}
