import { expect, test } from '@jest/globals';
import { Child } from '../../bench/child.ts';

test('a question to a child that has ended, or ends before it answers, fails and does not wait', async () => {
  await using child = new Child<{ name: (question: string) => string }>(new URL('./not-there.ts', import.meta.url));
  await expect(child.ask('name', 'first')).rejects.toThrow('ended (exit status 1)');
  await expect(child.ask('name', 'second')).rejects.toThrow(/closed|ended/i);
});
