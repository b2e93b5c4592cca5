import type { Clock } from './authentication/clock.ts';
import type { Log } from './authentication/log.ts';

const onceEveryMs = 60_000;

/** Writes entries to stderr as JSON lines, each code at most once a minute. */
export function stderrLog(clock: Clock, write: (line: string) => void = (line) => process.stderr.write(line)): Log {
  const writtenAt = new Map<string, number>();
  return ({ level, code, message }) => {
    const last = writtenAt.get(code);
    const now = clock.monotonic();
    if (last !== undefined && now - last < onceEveryMs) return;
    writtenAt.set(code, now);
    const time = new Date(clock.now()).toISOString();
    write(`${JSON.stringify({ time, level, code, message, source: 'k8s-service-account-auth' })}\n`);
  };
}
