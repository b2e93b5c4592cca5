import { z } from 'zod';
import { Unavailability } from '../authentication/reviewer.ts';
import { jsonOf } from './json-of.ts';
import { scrub } from './scrub.ts';
import { timestamp } from './timestamp.ts';

/** What a watch says of an object, as far as it matters here. */
export interface ObjectEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resourceVersion: string;
  readonly uid: string;
  /** In epoch milliseconds. */
  readonly deletionTimestamp: number | undefined;
}

/** What a watch says. */
export type WatchEvent =
  | ObjectEvent
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }
  | { readonly type: 'ERROR'; readonly code: number; readonly message: string };

const resourceVersion = z.string().regex(/^[1-9]\d*$/);
const objectEvent = z.object({
  metadata: z.object({ resourceVersion, uid: z.string().min(1), deletionTimestamp: timestamp.optional() }),
});
const bookmark = z.object({ metadata: z.object({ resourceVersion }) });
const status = z.object({ code: z.number(), message: z.string().default('') });

const eventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['ADDED', 'MODIFIED', 'DELETED']), object: objectEvent }),
  z.object({ type: z.literal('BOOKMARK'), object: bookmark }),
  z.object({ type: z.literal('ERROR'), object: status }),
]);

/** @throws {Unavailability} `answer_invalid` */
export function watchEventOf(line: string): WatchEvent {
  const event = eventSchema.safeParse(jsonOf(line)).data;
  if (event === undefined) {
    throw new Unavailability('answer_invalid', 'The API server sends something that is no event of a watch');
  }
  if (event.type === 'ERROR')
    return { type: event.type, code: event.object.code, message: scrub(event.object.message) };
  if (event.type === 'BOOKMARK') return { type: event.type, ...event.object.metadata };
  const { deletionTimestamp, ...metadata } = event.object.metadata;
  return { type: event.type, ...metadata, deletionTimestamp };
}

/** Resource versions of one kind of object are in the order of time: they are etcd's revisions. */
export function isOlder(one: string, other: string): boolean {
  return one.length === other.length ? one < other : one.length < other.length;
}
