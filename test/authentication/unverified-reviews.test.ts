import { beforeEach, describe, expect, test } from '@jest/globals';
import { Unavailability } from '../../src/authentication/reviewer.ts';
import { UnverifiedReviews } from '../../src/authentication/unverified-reviews.ts';
import type { Verdict } from '../../src/authentication/verdict.ts';
import { fakeIdentity } from '../../src/testing/fake-identity.ts';
import { caught } from '../support/caught.ts';
import { FakeClock } from '../support/fake-clock.ts';

const good = async (): Promise<Verdict> => ({ identity: fakeIdentity('shop/web') });
const bad = async (): Promise<Verdict> => ({ rejected: 'token_refused', reason: 'no' });
const unsaid = (): Promise<Verdict> => Promise.reject(new Unavailability('api_server_timeout', 'no answer'));
const flooder = '10.0.0.66';

let clock: FakeClock;
let reviews: UnverifiedReviews;
beforeEach(() => {
  clock = new FakeClock();
  reviews = new UnverifiedReviews(clock);
});

type Judgement = Parameters<UnverifiedReviews['within']>[0];

/** How many of so many tries of a peer come to a review. */
async function reviewed(judgement: Judgement, peer: string, tries: number, review = bad): Promise<number> {
  let count = 0;
  for (let index = 0; index < tries; index += 1) {
    await reviews
      .within(judgement, peer, () => {
        count += 1;
        return review();
      })
      .catch(() => {});
  }
  return count;
}

describe('tokens of unknown keys', () => {
  test('from one peer: 40 at once, and 10 a second in the long run', async () => {
    expect(await reviewed('unknown_key', flooder, 1_000)).toBe(40);
    let later = 0;
    for (let second = 0; second < 60; second += 1) {
      clock.advance(1_000);
      later += await reviewed('unknown_key', flooder, 1_000);
    }
    expect(later).toBeGreaterThan(590);
    expect(later).toBeLessThanOrEqual(600);
  });

  test('from 1,000 peers: 50 at once, and 10 a second', async () => {
    const flood = async (): Promise<number> => {
      let count = 0;
      for (let peer = 0; peer < 1_000; peer += 1) count += await reviewed('unknown_key', `10.0.1.${peer}`, 5);
      return count;
    };
    expect(await flood()).toBe(50);
    clock.advance(1_000);
    expect(await flood()).toBe(10);
  });

  test('past it are peer by peer: who comes after a flood, and while it lasts, has a part left', async () => {
    await reviewed('unknown_key', flooder, 1_000);
    expect(await reviewed('unknown_key', '10.0.0.7', 4)).toBe(4);
    expect(await reviewed('unknown_key', '10.0.0.8', 100)).toBe(6);
    for (let second = 0; second < 60; second += 1) {
      clock.advance(1_000);
      await reviewed('unknown_key', flooder, 1_000);
      expect(await reviewed('unknown_key', '10.0.0.7', 1)).toBe(1);
    }
  });

  test('that are good cost nothing: no flood is needed to have 1,000 of them reviewed, nor does one hold them', async () => {
    expect(await reviewed('unknown_key', '10.0.0.7', 1_000, good)).toBe(1_000);
    await reviewed('unknown_key', flooder, 1_000);
    expect(await reviewed('unknown_key', '10.0.0.7', 1_000, good)).toBe(1_000);
  });

  test('of which nobody could say whether they are good are not given back', async () => {
    expect(await reviewed('unknown_key', flooder, 1_000, unsaid)).toBe(40);
  });

  test('past it are unavailability, and say where the last came from', async () => {
    await reviewed('unknown_key', flooder, 1_000);
    expect(await caught(reviews.within('unknown_key', flooder, bad))).toMatchObject({
      code: 'unknown_key_limit',
      message: expect.stringContaining(flooder),
    });
  });

  test('are paid for ahead: no more than the budget are reviewed at once', async () => {
    let running = 0;
    const hang = (): Promise<Verdict> => {
      running += 1;
      return new Promise(() => {});
    };
    const held = Array.from({ length: 200 }, () => caught(reviews.within('unknown_key', flooder, hang)));
    expect(running).toBe(40);
    expect(await Promise.all(held.slice(40))).toHaveLength(160);
  });
});

describe('tokens that no key could judge', () => {
  test('of one peer: 200 refused ones at once, and 50 a second; past it unavailability that names the peer', async () => {
    expect(await reviewed('possible', flooder, 1_000)).toBe(200);
    expect(await caught(reviews.within('possible', flooder, good))).toMatchObject({
      code: 'peer_limit',
      message: expect.stringContaining(flooder),
    });
    clock.advance(1_000);
    expect(await reviewed('possible', flooder, 1_000)).toBe(50);
  });

  test('of other peers are reviewed as ever, and so are those of which nobody said where they came from', async () => {
    await reviewed('possible', flooder, 1_000);
    expect(await reviewed('possible', '10.0.0.7', 100)).toBe(100);
    expect(await reviewed('possible', '', 5_000)).toBe(5_000);
  });

  test('that were all let in before the first was refused are made up for: in the long run it is 50 a second', async () => {
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    const all = Array.from({ length: 1_000 }, () => reviews.within('possible', flooder, () => promise));
    resolve(await bad());
    await Promise.all(all);
    clock.advance(16_000);
    expect(await reviewed('possible', flooder, 1_000)).toBe(0);
    clock.advance(1_000);
    expect(await reviewed('possible', flooder, 1_000)).toBe(50);
  });

  test('that are good, or of which nobody could say, cost nothing: 10,000 at once are no flood', async () => {
    expect(await reviewed('possible', '10.0.0.7', 5_000, good)).toBe(5_000);
    expect(await reviewed('possible', '10.0.0.7', 5_000, unsaid)).toBe(5_000);
    expect(await reviewed('possible', '10.0.0.7', 1_000)).toBe(200);
  });
});

test('a hold is forgotten only once as many other peers as there is room for were refused since', async () => {
  await reviewed('possible', flooder, 1_000);
  const others = async (count: number): Promise<void> => {
    for (let peer = 0; peer < count; peer += 1) await reviewed('possible', `2001:db8:0:${peer.toString(16)}::/64`, 1);
  };
  await others(9_999);
  expect(await reviewed('possible', flooder, 1)).toBe(0);
  await others(10_000);
  expect(await reviewed('possible', flooder, 1)).toBe(1);
});
