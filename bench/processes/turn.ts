/** Looked at the clock no more often than this, so that looking does not count. */
const callsPerLook = 500;

/**
 * The nanoseconds of CPU that one call takes, with the inputs in turn, called for that many milliseconds of CPU: what
 * else the machine does meanwhile does not count, and what the process's own helper threads do does.
 */
export function nanosecondsPerCall<Input>(
  inputs: readonly Input[],
  turnMs: number,
  call: (input: Input) => void,
): number {
  const started = process.cpuUsage();
  for (let done = 0, next = 0; ;) {
    for (let index = 0; index < callsPerLook; index++) {
      call(inputs[next] as Input);
      next = next + 1 === inputs.length ? 0 : next + 1;
    }
    done += callsPerLook;
    const { user, system } = process.cpuUsage(started);
    const microseconds = user + system;
    if (microseconds >= turnMs * 1000) return (microseconds * 1000) / done;
  }
}
