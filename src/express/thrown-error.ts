/**
 * What was thrown, as something that Express takes for an error. To its `next`, falsy values, `'route'` and `'router'`
 * are none, and the request would pass.
 */
export function thrownError(thrown: unknown): object {
  if (typeof thrown === 'object' && thrown !== null) return thrown;
  // Only its type: it may be a token.
  return new TypeError(`Something was thrown that is no Error: ${thrown === null ? 'null' : typeof thrown}`);
}
