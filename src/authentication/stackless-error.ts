/**
 * An Error without a stack. A stack is no use to those who get these errors, costs time, and V8 keeps alive what the
 * functions on it see, a token for one, for as long as someone keeps the error.
 */
export class StacklessError extends Error {
  constructor(message: string) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
  }
}
