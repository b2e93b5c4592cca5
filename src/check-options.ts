import { z } from 'zod';

/**
 * Options, checked when they are given: a mistake is found where it was made, not by a caller.
 *
 * @throws {TypeError} that names the option, what is wrong with it, and for an unknown one the nearest right name
 */
export function checkOptions<Schema extends z.ZodObject>(
  schema: Schema,
  options: unknown,
  functionName: string,
): z.output<Schema> {
  const forgotten = undefinedOption(options, schema.shape, '');
  if (forgotten !== undefined) {
    throw new TypeError(
      `${functionName}: the option "${forgotten}" is undefined. Is an environment variable missing? ` +
        'To have the default, leave the option out.',
    );
  }
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap((issue) => problemsOf(issue, schema));
  throw new TypeError(`${functionName}: ${problems.join('; ')}`);
}

type Shape = Readonly<Record<string, unknown>>;

/** Looks into options only, and not into an object that the user hands over as a whole. */
function undefinedOption(options: unknown, shape: Shape, path: string): string | undefined {
  if (typeof options !== 'object' || options === null) return undefined;
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined) return path + key;
    const innerShape = shapeWithin(shape[key]);
    const inner = innerShape && undefinedOption(value, innerShape, `${path}${key}.`);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

/** The options within an option, where it has any. */
function shapeWithin(option: unknown): Shape | undefined {
  return (option as { unwrap?: () => { shape?: Shape } } | undefined)?.unwrap?.().shape;
}

function problemsOf(issue: z.core.$ZodIssue, schema: z.ZodObject): string[] {
  const path = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') {
    return [
      path === '' ? `the options are wrong: ${issue.message}` : `the option "${path}" is wrong: ${issue.message}`,
    ];
  }
  const known = knownKeys(schema, issue.path);
  return issue.keys.map((key) => {
    const full = path === '' ? key : `${path}.${key}`;
    const nearest = nearestTo(key, known);
    const hint = nearest === undefined ? `The options are: ${known.join(', ')}` : `Did you mean "${nearest}"?`;
    return `there is no option "${full}". ${hint}`;
  });
}

function knownKeys(schema: z.ZodObject, path: readonly PropertyKey[]): string[] {
  let shape: Shape = schema.shape;
  for (const step of path) shape = shapeWithin(shape[String(step)]) ?? {};
  return Object.keys(shape);
}

function nearestTo(key: string, known: readonly string[]): string | undefined {
  const [nearest] = known
    .map((name) => ({ name, distance: editDistance(key.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.max(2, name.length / 3))
    .toSorted((a, b) => a.distance - b.distance);
  return nearest?.name;
}

/** Levenshtein's: how many letters to insert, delete or replace. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of a.split('').entries()) {
    const next = [i + 1];
    for (const [j, other] of b.split('').entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** An option that is a function. */
export function functionOption<Type>(): z.ZodType<Type> {
  return z.custom<Type>((value) => typeof value === 'function', { error: 'expected a function' });
}

/** An option that is an object with these methods. */
export function objectWith<Type>(...methods: string[]): z.ZodType<Type> {
  return z.custom<Type>(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function'),
    { error: `expected an object with ${methods.map((method) => `${method}()`).join(' and ')}` },
  );
}
