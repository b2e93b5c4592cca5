import type { Authenticator } from '../../../src/index.ts';

export interface RecordedEvent {
  readonly event: string;
  readonly payload: unknown;
}

/** All that the authenticator tells from now on, reviews aside. */
export function recordedEvents(authenticator: Authenticator): RecordedEvent[] {
  const recorded: RecordedEvent[] = [];
  for (const event of ['rejected', 'unavailable', 'refused'] as const) {
    authenticator.on(event, (payload) => recorded.push({ event, payload }));
  }
  return recorded;
}
