import type { Bench } from '../bench.ts';
import { Child } from '../child.ts';
import type { AllocationAnswers } from '../processes/allocations.ts';
import { atMost, exactly, type Row, single } from '../row.ts';
import { spreadOf } from '../spread.ts';

const rounds = 9;

/** V8 puts a time into 16 bytes where it hands it from function to function. Any object or closure would come on top. */
const fourNumbers = 64;

/** What a cached request leaves to the garbage collector. */
export async function allocations({ connection, tokens }: Bench): Promise<Row[]> {
  // New space so large that nothing is collected while it is counted.
  const nodeOptions = ['--expose-gc', '--min-semi-space-size=128', '--max-semi-space-size=128'];
  await using child = new Child<AllocationAnswers>(
    new URL('../processes/allocations.ts', import.meta.url),
    nodeOptions,
  );
  await child.ask('prepare', { connection, token: tokens[0] ?? '' });
  const handlers: number[] = [];
  const strings: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const bytes = await child.ask('bytes', undefined);
    handlers.push(bytes.handlers);
    strings.push(bytes.strings);
  }
  const beyond = spreadOf(handlers.map((bytes, round) => Math.round(bytes - (strings[round] ?? 0))));
  const measure = 'allocations per cached request, middleware and two guards';
  return [
    {
      id: 'promises',
      measure,
      unit: 'promises',
      value: single(await child.ask('promises', undefined)),
      goal: exactly(0),
      isHard: true,
    },
    {
      id: 'allocations',
      measure,
      unit: 'bytes beyond the token and its hash',
      value: beyond,
      goal: atMost(fourNumbers),
      note: `${Math.round(spreadOf(handlers).median)} bytes; token and hash are ${Math.round(spreadOf(strings).median)}`,
    },
  ];
}
