/** A wait that a signal ends, leaving nothing behind on the signal. */
export function abandonable<T>(wait: T | Promise<T>, signal: AbortSignal | undefined): T | Promise<T> {
  if (signal === undefined || !(wait instanceof Promise)) return wait;
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const abandon = (): void => reject(signal.reason);
  signal.addEventListener('abort', abandon);
  void wait.then(resolve, reject).finally(() => signal.removeEventListener('abort', abandon));
  return promise;
}
