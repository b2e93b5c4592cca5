import type { Log } from './authentication/log.ts';

/** A log of the user that may throw, made one that never does: no request fails and no process ends for want of a log line. */
export function unfailingLog(log: Log): Log {
  let hasWarned = false;
  return (entry) => {
    try {
      log(entry);
    } catch (error) {
      if (hasWarned) return;
      hasWarned = true;
      process.emitWarning(
        `The option \`log\` of k8s-service-account-auth threw, and entries are lost: ${String(error)}`,
      );
    }
  };
}
