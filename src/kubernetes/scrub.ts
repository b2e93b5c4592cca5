const maxLength = 300;
/**
 * A JWT, whole or a part of it: it begins like a JSON object, or goes on for longer than any label of a host name (63
 * characters, RFC 1035 section 2.3.4). Host names and API groups are what operators need to read.
 */
const jwt = /\beyJ[\w-]*(?:\.[\w-]*)*|[\w-]{64,}(?:\.[\w-]*)*/g;
const controlCharacters = /[\p{Cc}\u2028\u2029]+/gu;

/** Somebody else's words, made fit for a log line: short, on one line, without the secrets or anything like a token. */
export function scrub(text: string, secrets: readonly string[] = []): string {
  let scrubbed = text.slice(0, 4096);
  for (const secret of secrets) if (secret !== '') scrubbed = scrubbed.replaceAll(secret, '[token]');
  scrubbed = scrubbed.replace(jwt, '[token]').replace(controlCharacters, ' ');
  return scrubbed.length > maxLength ? `${scrubbed.slice(0, maxLength)}…` : scrubbed;
}
