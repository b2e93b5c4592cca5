import { expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Share } from '../../src/authentication/reviewer.ts';
import { FairQueue, QueueFull } from '../../src/kubernetes/fair-queue.ts';
import { settled } from '../support/settled.ts';

/** Work that tells when it starts and ends when it is told to. */
function scripted(queue: FairQueue) {
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  /** Whose: the parts of the share, separated by spaces. */
  const submit = (share: string, name: string, signal?: AbortSignal): Promise<string> =>
    queue.run(
      share.split(' '),
      () => {
        started.push(name);
        return new Promise((resolve) => ends.set(name, () => resolve(name)));
      },
      signal,
    );
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await settled();
  };
  return { started, submit, end };
}

test('runs so many at once, and the next when one ends', async () => {
  const queue = new FairQueue(2, 10);
  const { started, submit, end } = scripted(queue);
  const all = Promise.all(['1', '2', '3'].map((name) => submit('a', name)));
  expect(started).toEqual(['1', '2']);
  expect(queue.hasSpareCapacity).toBe(false);
  await end('2');
  expect(started).toEqual(['1', '2', '3']);
  await end('1');
  await end('3');
  await expect(all).resolves.toEqual(['1', '2', '3']);
  expect(queue.hasSpareCapacity).toBe(true);
});

test('one who asks much waits behind himself, not the others behind him', async () => {
  const { started, submit, end } = scripted(new FairQueue(1, 100));
  const all = [submit('greedy', 'g1')];
  for (const name of ['g2', 'g3', 'g4']) all.push(submit('greedy', name));
  all.push(submit('modest', 'm1'), submit('shy', 's1'), submit('modest', 'm2'));
  for (const name of ['g1', 'g2', 'm1', 's1', 'g3', 'm2', 'g4']) await end(name);
  await Promise.all(all);
  expect(started).toEqual(['g1', 'g2', 'm1', 's1', 'g3', 'm2', 'g4']);
});

test('a full queue refuses whoever has the longest share already', async () => {
  const { submit, end } = scripted(new FairQueue(1, 2));
  const running = submit('a', '1');
  const waiting = [submit('a', '2'), submit('a', '3')];
  await expect(submit('a', '4')).rejects.toBeInstanceOf(QueueFull);
  for (const name of ['1', '2', '3']) await end(name);
  await expect(Promise.all([running, ...waiting])).resolves.toEqual(['1', '2', '3']);
});

test('in a full queue the last of the longest share gives way to a newcomer', async () => {
  const { started, submit, end } = scripted(new FairQueue(1, 2));
  const running = submit('greedy', 'g1');
  const kept = submit('greedy', 'g2');
  const evicted = submit('greedy', 'g3');
  const newcomer = submit('modest', 'm1');
  await expect(evicted).rejects.toBeInstanceOf(QueueFull);
  for (const name of ['g1', 'g2', 'm1']) await end(name);
  await Promise.all([running, kept, newcomer]);
  expect(started).toEqual(['g1', 'g2', 'm1']);
});

test('nobody gives way to one who would have as much: the newcomer is refused', async () => {
  const { submit, end } = scripted(new FairQueue(1, 2));
  const running = submit('a', '1');
  const waiting = [submit('a', '2'), submit('b', '3')];
  await expect(submit('c', '4')).rejects.toBeInstanceOf(QueueFull);
  for (const name of ['1', '2', '3']) await end(name);
  await Promise.all([running, ...waiting]);
});

test('who gives up waiting leaves the queue at once, its room to others, and no listener behind', async () => {
  const { started, submit, end } = scripted(new FairQueue(1, 1));
  const running = submit('a', '1');
  const impatient = new AbortController();
  const remove = jest.spyOn(impatient.signal, 'removeEventListener');
  const abandoned = submit('a', '2', impatient.signal);
  impatient.abort(new Error('enough'));
  await expect(abandoned).rejects.toThrow('enough');
  expect(remove).toHaveBeenCalledTimes(1);
  const next = submit('a', '3');
  await end('1');
  await end('3');
  await Promise.all([running, next]);
  expect(started).toEqual(['1', '3']);
});

test('who has given up before is not let in', async () => {
  const { started, submit } = scripted(new FairQueue(1, 1));
  await expect(submit('a', '1', AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  expect(started).toEqual([]);
});

test('a signal that comes after the turn has begun does not disturb the work', async () => {
  const { submit, end } = scripted(new FairQueue(1, 1));
  const controller = new AbortController();
  const first = submit('a', '1');
  const second = submit('a', '2', controller.signal);
  await end('1');
  controller.abort();
  await end('2');
  await expect(Promise.all([first, second])).resolves.toEqual(['1', '2']);
});

const throwAtOnce = (): Promise<never> => {
  throw new Error('threw');
};

test('work that fails, or throws at once, gives its place back', async () => {
  const queue = new FairQueue(1, 1);
  await expect(queue.run(['a'], () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  await expect(queue.run(['a'], throwAtOnce)).rejects.toThrow('threw');
  expect(queue.hasSpareCapacity).toBe(true);
});

test('parts of one whole share what is its, and take nothing from the other whole', async () => {
  const { started, submit, end } = scripted(new FairQueue(1, 100));
  const all = [submit('other', 'running')];
  for (const name of ['w1', 'w2', 'w3']) all.push(submit(`shop/web ${name}`, name));
  all.push(submit('shop/web w1', 'w1 again'), submit('shop/api a1', 'a1'), submit('shop/api a1', 'a1 again'));
  const turns = ['running', 'w1', 'a1', 'w2', 'a1 again', 'w3', 'w1 again'];
  for (const name of turns) await end(name);
  await Promise.all(all);
  expect(started).toEqual(turns);
});

test('however many parts one whole has, the other has every second turn', async () => {
  const { started, submit, end } = scripted(new FairQueue(1, 100));
  const all = [submit('unverified 0', 'running')];
  for (let peer = 1; peer <= 20; peer += 1) all.push(submit(`unverified ${peer}`, `from ${peer}`));
  for (const name of ['v1', 'v2', 'v3']) all.push(submit(`verified ${name}`, name));
  for (const name of ['running', 'from 1', 'v1', 'from 2', 'v2', 'from 3', 'v3']) await end(name);
  expect(started).toEqual(['running', 'from 1', 'v1', 'from 2', 'v2', 'from 3', 'v3', 'from 4']);
  for (let peer = 4; peer <= 20; peer += 1) await end(`from ${peer}`);
  await Promise.all(all);
});

test('in a full queue the longest part of the longest whole gives way, and within a whole its own longest part', async () => {
  const { submit, end } = scripted(new FairQueue(1, 4));
  const running = submit('x', 'running');
  const kept = [submit('unverified p1', 'p1'), submit('unverified p2', 'p2-1')];
  const second = submit('unverified p2', 'p2-2');
  const third = submit('unverified p2', 'p2-3');
  const verified = submit('verified shop/web', 'v1');
  await expect(third).rejects.toBeInstanceOf(QueueFull);
  const newPeer = submit('unverified p3', 'p3');
  await expect(second).rejects.toBeInstanceOf(QueueFull);
  await expect(submit('unverified p2', 'p2-4')).rejects.toBeInstanceOf(QueueFull);
  for (const name of ['running', 'p1', 'v1', 'p2-1', 'p3']) await end(name);
  await expect(Promise.all([running, ...kept, verified, newPeer])).resolves.toHaveLength(5);
});

test('100,000 who find it full leave nothing behind', async () => {
  const queue = new FairQueue(1, 10);
  const { submit, end } = scripted(queue);
  const all = Array.from({ length: 11 }, (_, index) => submit('a', `${index}`));
  let refused = 0;
  for (let index = 0; index < 100_000; index += 1) {
    await submit('a', 'one more').catch(() => {
      refused += 1;
    });
  }
  expect(refused).toBe(100_000);
  for (let index = 0; index < 11; index += 1) await end(`${index}`);
  await expect(Promise.all(all)).resolves.toHaveLength(11);
  expect(queue.hasSpareCapacity).toBe(true);
});

test('whatever comes, ends and gives up in whatever order: never more at once than may be, and everything ends once', async () => {
  const whose = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 });
  const step = fc.oneof(
    fc.record({ does: fc.constant('comes' as const), share: whose }),
    fc.record({ does: fc.constantFrom('ends' as const, 'gives up' as const), index: fc.nat(50) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), fc.nat(5), everythingEndsOnce),
    { numRuns: 300 },
  );
});

type Step =
  { readonly does: 'comes'; readonly share: Share } | { readonly does: 'ends' | 'gives up'; readonly index: number };

async function everythingEndsOnce(steps: readonly Step[], maxConcurrent: number, maxQueued: number): Promise<void> {
  const queue = new FairQueue(maxConcurrent, maxQueued);
  const running: (() => void)[] = [];
  const waits: AbortController[] = [];
  let [open, settledOnce] = [0, 0];
  const end = (): void => {
    open -= 1;
    settledOnce += 1;
  };
  for (const one of steps) {
    if (one.does === 'comes') {
      open += 1;
      const controller = new AbortController();
      waits.push(controller);
      const work = (): Promise<void> => new Promise((resolve) => running.push(resolve));
      queue.run(one.share, work, controller.signal).then(end, end);
    } else if (one.does === 'ends') {
      running.splice(one.index % Math.max(1, running.length), 1)[0]?.();
    } else {
      waits[one.index % Math.max(1, waits.length)]?.abort(new Error('enough'));
    }
    await settled();
    expect(running.length).toBeLessThanOrEqual(maxConcurrent);
    expect(open).toBeLessThanOrEqual(maxConcurrent + maxQueued);
    // Nobody waits while there is room.
    expect(running.length).toBe(Math.min(open, maxConcurrent));
  }
  while (running.length > 0) {
    running.pop()?.();
    await settled();
  }
  expect([open, settledOnce]).toEqual([0, steps.filter(({ does }) => does === 'comes').length]);
  expect(queue.hasSpareCapacity).toBe(true);
}
