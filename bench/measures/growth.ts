import type { Bench } from '../bench.ts';
import { Child } from '../child.ts';
import type { GrowthAnswers } from '../processes/growth.ts';
import { Rounds } from '../rounds.ts';
import { atMost, type Row, single, tokensInWords } from '../row.ts';

const counted = 100_000;
const sampleSize = 20_000;

/** What an identity weighs, and how look-ups go as the cache grows. */
export async function growth({ isQuick, rounds, turnMs, say }: Bench): Promise<Row[]> {
  const nodeOptions = ['--expose-gc', '--max-old-space-size=6000'];
  return [await memory(), ...(await lookUps())];

  async function memory(): Promise<Row> {
    await using child = new Child<GrowthAnswers>(new URL('../processes/growth.ts', import.meta.url), nodeOptions);
    // What the first tokens load and compile is no matter of their number.
    await child.ask('open', 1);
    await child.ask('fill', 1_000);
    const before = await child.ask('bytesInUse', undefined);
    await child.ask('open', counted);
    say(`filling a cache with ${counted} identities`);
    await child.ask('fill', counted);
    const bytes = (await child.ask('bytesInUse', undefined)) - before;
    return {
      id: 'memory',
      measure: `memory per cached identity, ${tokensInWords(counted)}`,
      unit: 'bytes',
      value: single(bytes / counted),
      goal: atMost(1_024),
    };
  }

  async function lookUps(): Promise<Row[]> {
    await using child = new Child<GrowthAnswers>(new URL('../processes/growth.ts', import.meta.url), nodeOptions);
    const rows: Row[] = [];
    for (const count of [100, 10_000, 100_000, 1_000_000]) {
      const row = {
        id: `growth-${count}`,
        measure: `look-up in a cache of ${tokensInWords(count)}`,
        unit: '× the same hash in a plain Map of that size',
        goal: atMost(1.2),
      };
      if (isQuick && count > 100_000) {
        rows.push({ ...row, value: undefined, note: 'skipped: it takes minutes, and so belongs to the full run' });
        continue;
      }
      await child.ask('open', count);
      say(`${count} tokens: filling the cache`);
      await child.ask('fill', count);
      await child.ask('prepareLookUps', sampleSize);
      const subjects = {
        cached: () => child.ask('nanoseconds', { what: 'cached', turnMs }),
        map: () => child.ask('nanoseconds', { what: 'map', turnMs }),
      };
      const onRound = (round: number): void => say(`${count} tokens, round ${round}`);
      const measured = await Rounds.of(subjects, [['cached', 'map']], { ...rounds, onRound });
      const [cached, map] = (['cached', 'map'] as const).map((name) => Math.round(measured.spread(name).median));
      rows.push({ ...row, value: measured.ratio('cached', 'map'), note: `${cached} ns against ${map} ns` });
    }
    return rows;
  }
}
