import * as fc from 'fast-check';

/** What a history may be about: few objects, so that names are taken, freed and taken again. */
const objectNames = ['sa-a', 'sa-b', 'pod-a', 'pod-b', 'node-a', 'secret-a'] as const;
export type ObjectName = (typeof objectNames)[number];

/** Tokens are kept in numbered places; a new one takes the place of an old one. */
export type Place = 0 | 1 | 2 | 3;

export type Step =
  | { readonly do: 'create' | 'delete'; readonly object: ObjectName }
  | { readonly do: 'bind'; readonly object: ObjectName; readonly audience: string | undefined; readonly place: Place }
  | { readonly do: 'review'; readonly place: Place; readonly audiences: readonly string[] }
  /** Longer than the API server remembers a token that it accepted. */
  | { readonly do: 'wait' };

const object = fc.constantFrom(...objectNames);
const place = fc.constantFrom<Place>(0, 1, 2, 3);
const audience = fc.constantFrom('orders', 'orders', undefined);
const audiences = fc.constantFrom<readonly string[]>(['orders'], ['orders'], ['billing', 'orders'], ['billing'], []);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('create' as const), object }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), object }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('bind' as const), object, audience, place }) },
  { weight: 9, arbitrary: fc.record({ do: fc.constant('review' as const), place, audiences }) },
  { weight: 1, arbitrary: fc.constant({ do: 'wait' as const }) },
);

/** Histories begin with what most steps need, so that they get somewhere. */
const beginning: readonly Step[] = [
  { do: 'create', object: 'sa-a' },
  { do: 'create', object: 'node-a' },
  { do: 'create', object: 'pod-a' },
  { do: 'bind', object: 'pod-a', audience: 'orders', place: 0 },
];

export function histories(steps: number): fc.Arbitrary<readonly Step[]> {
  const length = steps - beginning.length;
  return fc.array(step, { minLength: 1, maxLength: length, size: 'max' }).map((rest) => beginning.concat(rest));
}

/** A history of exactly so many steps. */
export function historyOf(steps: number, seed: number): readonly Step[] {
  const length = steps - beginning.length;
  const exactly = fc.array(step, { minLength: length, maxLength: length });
  const [rest = []] = fc.sample(exactly, { seed, numRuns: 1 });
  return [...beginning, ...rest];
}
