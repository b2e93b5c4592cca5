import type { KubernetesObject } from '../cluster-client/kubernetes-object.ts';
import { labelKeyProblems, labelValueProblems } from './label-rules.ts';
import { badRequest, type StatusError } from './status.ts';

type Labels = Readonly<Record<string, string>>;
type Requirement = (labels: Labels) => boolean;

const OPERATORS = ['in', 'notin', '=', '==', '!=', '>', '<'];

/** The parameter `labelSelector`: `a=b,c!=d,e in (f, g),!h,i,j>1`. Throws Kubernetes' 400. */
export function parseLabelSelector(text: string): (object: KubernetesObject) => boolean {
  const requirements = parseRequirements(new Tokens(text));
  return ({ metadata: { labels = {} } }) => requirements.every((isMet) => isMet(labels));
}

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
  if (!canBegin()) throw badRequest(`found '${tokens.next}', expected: !, identifier, or 'end of string'`);
  for (;;) {
    requirements.push(parseRequirement(tokens));
    const separator = tokens.take();
    if (separator === '') return requirements;
    if (separator !== ',') throw badRequest(`found '${separator}', expected: ',' or 'end of string'`);
    if (!canBegin()) throw badRequest(`found '${tokens.next}', expected: identifier after ','`);
  }
}

function parseRequirement(tokens: Tokens): Requirement {
  const isNegated = tokens.next === '!' && tokens.take() === '!';
  if (!tokens.nextIsWord) throw unreadable(`found '${tokens.next}', expected: identifier`);
  const key = tokens.take();
  const problems = labelKeyProblems(key);
  if (problems.length > 0) throw unreadable(`<nil>: Invalid value: ${JSON.stringify(key)}: ${problems.join('; ')}`);
  if (isNegated) return (labels) => labels[key] === undefined;
  if (tokens.next === '' || tokens.next === ',') return (labels) => labels[key] !== undefined;

  const operator = tokens.take();
  if (!OPERATORS.includes(operator)) throw unreadable(`found '${operator}', expected: in, notin, =, ==, !=, gt, lt`);
  const isSet = operator === 'in' || operator === 'notin';
  const values = isSet ? parseValues(tokens) : [parseValue(tokens)];
  refuseInvalidValues(key, operator, values);
  return requirement(key, operator, values);
}

function requirement(key: string, operator: string, values: readonly string[]): Requirement {
  const isAmong = (labels: Labels): boolean => labels[key] !== undefined && values.includes(labels[key]);
  switch (operator) {
    case '>':
      return (labels) => integer(labels[key]) > integer(values[0]);
    case '<':
      return (labels) => integer(labels[key]) < integer(values[0]);
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

function integer(text = ''): number {
  return /^[-+]?\d+$/.test(text) ? Number(text) : NaN;
}

function unreadable(why: string): StatusError {
  return badRequest(`unable to parse requirement: ${why}`);
}
