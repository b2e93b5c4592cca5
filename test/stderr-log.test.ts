import { expect, jest, test } from '@jest/globals';
import { stderrLog } from '../src/stderr-log.ts';
import { FakeClock } from './support/fake-clock.ts';

test('writes each entry as one JSON line, with the time and who writes', () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  stderrLog(clock, (line) => lines.push(line))({ level: 'warn', code: 'no_audiences', message: 'two\nlines' });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^[^\n]+\n$/);
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    time: new Date(clock.now()).toISOString(),
    level: 'warn',
    code: 'no_audiences',
    message: 'two\nlines',
    source: 'k8s-service-account-auth',
  });
});

test('writes each code at most once a minute, and codes do not hold one another up', () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = stderrLog(clock, (line) => lines.push(line));
  for (let index = 0; index < 1_000; index += 1) log({ level: 'error', code: 'api_server_timeout', message: '1' });
  log({ level: 'error', code: 'api_server_unreachable', message: '2' });
  clock.advance(59_999);
  log({ level: 'error', code: 'api_server_timeout', message: '3' });
  expect(lines).toHaveLength(2);
  clock.advance(1);
  log({ level: 'error', code: 'api_server_timeout', message: '4' });
  expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual(['1', '2', '4']);
});

test('writes to stderr where nothing else is said', () => {
  using write = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  stderrLog(new FakeClock())({ level: 'warn', code: 'no_audiences', message: 'm' });
  expect(write).toHaveBeenCalledTimes(1);
});
