import { expect, test } from '@jest/globals';
import { type AuthenticatorEvents, EventChannel } from '../../src/authentication/events.ts';
import type { LogEntry } from '../../src/authentication/log.ts';

const unavailable: AuthenticatorEvents['unavailable'] = { code: 'api_server_timeout', reason: 'No answer' };

function channel(): { readonly events: EventChannel; readonly logged: LogEntry[] } {
  const logged: LogEntry[] = [];
  return { events: new EventChannel((entry) => logged.push(entry)), logged };
}

test('a listener hears its own event, with its payload, and no other', () => {
  const { events } = channel();
  const heard: unknown[] = [];
  events.on('unavailable', (payload) => heard.push(payload));
  events.emit('rejected', { code: 'token_refused', reason: '', credentialId: undefined });
  expect(heard).toEqual([]);
  events.emit('unavailable', unavailable);
  expect(heard).toEqual([unavailable]);
});

test('an event without listeners is no matter', () => {
  const { events, logged } = channel();
  events.emit('unavailable', unavailable);
  expect(logged).toEqual([]);
});

test('a listener that throws is logged without its words, and the others hear the event still', () => {
  const { events, logged } = channel();
  const heard: string[] = [];
  events.on('unavailable', () => {
    throw new Error('with a secret');
  });
  events.on('unavailable', () => heard.push('second'));
  events.emit('unavailable', unavailable);
  expect(heard).toEqual(['second']);
  expect(logged).toEqual([{ level: 'error', code: 'listener_failed', message: 'A listener of "unavailable" threw' }]);
});

test('one function that listens twice hears twice, and once after one of both was taken off', () => {
  const { events } = channel();
  let heard = 0;
  const listener = (): void => {
    heard += 1;
  };
  const off = events.on('unavailable', listener);
  events.on('unavailable', listener);
  events.emit('unavailable', unavailable);
  expect(heard).toBe(2);
  off();
  off();
  events.emit('unavailable', unavailable);
  expect(heard).toBe(3);
});

test('a listener that listens anew each time it hears an event hears the next one, not the same for ever', () => {
  const { events } = channel();
  let heard = 0;
  let off: (() => void) | undefined;
  const again = (): void => {
    heard += 1;
    if (heard > 100) throw new Error('for ever');
    off?.();
    off = events.on('unavailable', again);
  };
  off = events.on('unavailable', again);
  events.emit('unavailable', unavailable);
  expect(heard).toBe(1);
  events.emit('unavailable', unavailable);
  expect(heard).toBe(2);
});
