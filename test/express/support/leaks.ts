/**
 * What of these secrets a text gives away: each as a whole, each dot-separated part of it, and what the parts decode to;
 * and whatever looks like a stack or a file.
 */
export function leaks(text: string, secrets: readonly string[]): string[] {
  const pieces = secrets
    .flatMap((secret) => [secret, ...secret.split('.'), ...secret.split('.').map(decoded)])
    .filter(({ length }) => length >= 5);
  const found = pieces.filter((piece) => text.includes(piece));
  const marks = text.match(/^\s+at .+$|node_modules|\b(?:src|test|lib)\/[\w/.-]+|\.[jt]s:\d+|file:\/\//gm) ?? [];
  return [...found, ...marks];
}

const decoded = (part: string): string => Buffer.from(part, 'base64url').toString('latin1');
