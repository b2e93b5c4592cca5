import { expect, jest, test } from '@jest/globals';
import type { LogEntry } from '../src/authentication/log.ts';
import { unfailingLog } from '../src/unfailing-log.ts';

const entry: LogEntry = { level: 'error', code: 'api_server_timeout', message: 'No answer' };

test('passes every entry on', () => {
  const log = jest.fn();
  unfailingLog(log)(entry);
  expect(log.mock.calls).toEqual([[entry]]);
});

test('warns of the first failure, with its reason, and goes on trying', () => {
  using warn = jest.spyOn(process, 'emitWarning').mockReturnValue();
  const log = jest.fn(() => {
    throw new Error('disk full');
  });
  const unfailing = unfailingLog(log);
  unfailing(entry);
  unfailing(entry);
  expect(log).toHaveBeenCalledTimes(2);
  expect(warn.mock.calls).toEqual([[expect.stringContaining('Error: disk full')]]);
});
