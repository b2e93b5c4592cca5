import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { LogEntry } from '../../src/authentication/log.ts';
import { RotatingFile } from '../../src/kubernetes/rotating-file.ts';
import { caught } from '../support/caught.ts';
import { FakeClock } from '../support/fake-clock.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rotating-file-'));
});
afterAll(() => rm(directory, { recursive: true }));

let count = 0;
function world(): { path: string; clock: FakeClock; logged: LogEntry[]; file: RotatingFile } {
  count += 1;
  const path = join(directory, `token-${count}`);
  const clock = new FakeClock();
  const logged: LogEntry[] = [];
  return { path, clock, logged, file: new RotatingFile(path, clock, (entry) => logged.push(entry)) };
}

test('reads the file without the line break at its end', async () => {
  const { path, file } = world();
  await writeFile(path, 'first\n');
  expect(await file.content()).toBe('first');
});

test('reads it anew after 10 s, not before', async () => {
  const { path, clock, file } = world();
  await writeFile(path, 'first');
  await file.content();
  await writeFile(path, 'second');
  clock.advance(9_999);
  expect(await file.content()).toBe('first');
  clock.advance(1);
  expect(await file.content()).toBe('second');
});

test('reads it anew at once when told that it is stale, and keeps what it has where that cannot be read', async () => {
  const { path, logged, file } = world();
  file.expire();
  await writeFile(path, 'first');
  await file.content();
  await writeFile(path, 'second');
  expect(await file.content()).toBe('first');
  file.expire();
  expect(await file.content()).toBe('second');
  await rm(path);
  file.expire();
  expect(await file.content()).toBe('second');
  expect(logged.map(({ code }) => code)).toEqual(['credential_stale']);
});

test('tells when it last read what serves now, on the wall clock', async () => {
  const { path, clock, file } = world();
  expect(file.lastReadAt).toBeUndefined();
  await caught(file.content());
  expect(file.lastReadAt).toBeUndefined();
  await writeFile(path, 'first');
  await file.content();
  const first = clock.now();
  expect(file.lastReadAt).toBe(first);
  file.expire();
  clock.advance(5_000);
  await rm(path);
  await file.content();
  expect(file.lastReadAt).toBe(first);
  await writeFile(path, 'second');
  await file.content();
  expect(file.lastReadAt).toBe(first + 5_000);
});

test('follows the symbolic link that the kubelet swaps', async () => {
  const { path, clock, file } = world();
  await writeFile(`${path}-1`, 'first');
  await writeFile(`${path}-2`, 'second');
  await symlink(`${path}-1`, path);
  expect(await file.content()).toBe('first');
  await symlink(`${path}-2`, `${path}-new`);
  await rename(`${path}-new`, path);
  clock.advance(10_000);
  expect(await file.content()).toBe('second');
});

test('goes on with what was last read while the file is gone or empty, says so, and reads it once it is back', async () => {
  const { path, clock, logged, file } = world();
  await writeFile(path, 'first');
  await file.content();
  await rm(path);
  clock.advance(10_000);
  expect(await file.content()).toBe('first');
  await writeFile(path, ' \n');
  expect(await file.content()).toBe('first');
  expect(logged).toEqual([
    { level: 'warn', code: 'credential_stale', message: expect.stringContaining('ENOENT') },
    { level: 'warn', code: 'credential_stale', message: expect.stringContaining('it is empty') },
  ]);
  await writeFile(path, 'second');
  expect(await file.content()).toBe('second');
  expect(logged).toHaveLength(2);
});

test('where there never was one, says which file, why, and what to look at', async () => {
  const { path, logged, file } = world();
  const error = await caught(file.content());
  expect(error).toMatchObject({ code: 'credential_unreadable' });
  expect(String(error)).toContain(path);
  expect(String(error)).toContain('ENOENT');
  expect(String(error)).toContain('automountServiceAccountToken');
  expect(logged).toEqual([]);
});

test('an empty file is no credential, until something is in it', async () => {
  const { path, file } = world();
  await writeFile(path, '\n');
  expect(await caught(file.content())).toMatchObject({
    code: 'credential_unreadable',
    message: expect.stringContaining('it is empty'),
  });
  await writeFile(path, 'first');
  expect(await file.content()).toBe('first');
});

test('a directory in its place is no credential', async () => {
  const file = new RotatingFile(directory, new FakeClock(), () => {});
  expect(await caught(file.content())).toMatchObject({
    code: 'credential_unreadable',
    message: expect.stringContaining('EISDIR'),
  });
});
