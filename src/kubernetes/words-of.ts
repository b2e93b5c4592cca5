import { isNativeError } from 'node:util/types';
import { scrub } from './scrub.ts';

/** What an error says, made fit for a log line. Node's own are known in any realm: tests often run in one of their own. */
export function wordsOf(error: unknown, secrets: readonly string[] = []): string {
  if (!(error instanceof Error || isNativeError(error))) return 'no reason given';
  // The error of a connection tried at several addresses has a code and no message.
  const { message, code, name } = error as NodeJS.ErrnoException;
  return scrub(message || code || name, secrets);
}
