import { describe, expect, test } from '@jest/globals';
import { settled } from '../support/settled.ts';
import { podToken } from '../support/tokens.ts';
import { world } from '../support/watched-world.ts';

describe('a watch that breaks', () => {
  const tokenCount = 600;
  const window = 6;

  /** Reviews a second, of tokens that are each asked for every second: at most, and on average without a watch. */
  async function reviewsPerSecond(breaksAfterSeconds: number, gap: boolean): Promise<{ peak: number; steady: number }> {
    let seed = 1;
    const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const { clock, reviewer, authenticator, watch } = world({ parts: { random, maxEntries: tokenCount } });
    const tokens = Array.from({ length: tokenCount }, () => podToken(clock, { exp: clock.now() / 1000 + 86_400 }));
    const run = async (seconds: number, goOn: (second: number) => void): Promise<number[]> => {
      const reviews: number[] = [];
      for (let second = 0; second < seconds; second += 1) {
        goOn(second);
        const before = reviewer.asked.length;
        for (const token of tokens) if (!authenticator.cached(token)) await authenticator.authenticate(token);
        await settled();
        reviews.push(reviewer.asked.length - before);
        clock.advance(1_000);
      }
      return reviews;
    };
    watch.covered = {};
    // They come one after the other, so that they do not lapse together from the start.
    for (const token of tokens) {
      await authenticator.authenticate(token);
      clock.advance(50_000 / tokenCount);
    }
    const steady = mean((await run(200, () => {})).slice(-100));
    const since = clock.monotonic() - 60_000;
    await run(breaksAfterSeconds, (second) => {
      if (second % 30 === 0) watch.cover({ since, provenAt: clock.monotonic() });
    });
    if (gap) watch.cover({ since: clock.monotonic(), provenAt: clock.monotonic() });
    const reviews = await run(120, () => {});
    return { peak: Math.max(...reviews.map((_, index) => mean(reviews.slice(index, index + window)))), steady };
  }

  const mean = (counts: readonly number[]): number => counts.reduce((sum, one) => sum + one, 0) / counts.length;

  test.each([
    ['in silence, just before its next proof of life', 149, false],
    ['in silence, just after its last one', 151, false],
    ['with a gap', 160, true],
  ])(
    '%s, never has reviews made more than twice as often as none at all',
    async (_, breaksAfterSeconds, gap) => {
      const { peak, steady } = await reviewsPerSecond(breaksAfterSeconds, gap);
      expect(steady).toBeGreaterThan(10);
      expect(peak).toBeGreaterThan(steady / 2);
      expect(peak).toBeLessThanOrEqual(2 * steady);
    },
    60_000,
  );
});
