// Runs a service under full load for a long time, while everything around it fails and is rotated in turn, and then looks
// whether it holds more than after each fault had happened once:
// `npm run test:soak -- [--minutes 10] [--callers 32] [--real]`. Exits with 1 where it does.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { simulatedTestCluster } from '../cluster/conformance/simulated-test-cluster.ts';
import { startedTestCluster } from '../cluster/conformance/started-test-cluster.ts';
import type { TestCluster } from '../cluster/conformance/test-cluster.ts';
import { startKubeApiserver } from '../cluster/kube-apiserver.ts';
import { startedCluster } from '../cluster/started-cluster.ts';
import { createCallers } from '../faults/callers.ts';
import type { Fault } from '../faults/fault.ts';
import { faults } from '../faults/faults.ts';
import { makeSurroundings, type Surroundings } from '../faults/surroundings.ts';
import { fixedNursery } from '../support/fixed-nursery.ts';
import { FullLoad } from './full-load.ts';
import type { Measurement } from './measurement.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    callers: { type: 'string', default: '32' },
    real: { type: 'boolean', default: false },
  },
});
const soakMs = Number(values.minutes) * 60_000;
const callersAtOnce = Number(values.callers);
if (!(soakMs > 0) || !(callersAtOnce >= 1)) throw new Error('--minutes and --callers must be numbers above 0');

const sampleEveryMs = Math.max(5_000, soakMs / 20);
const faultMs = 1_500;
const calmMs = 2_500;
/** What waits when the load ends is answered by its deadline of 3 s; idle connections of callers are closed after 5 s. */
const restMs = 8_000;
/** A leak of a byte per request would be more: a run of 10 minutes has more than a million. */
const mostHeapGrowthMb = 1;
/** The resident set follows the heap only roughly: freed pages stay for a while, and where is chance. */
const mostResidentGrowth = 0.1;
/** Idle connections to the API server: as many as may review at once. */
const pooled = 32;

/** The one whose callers are rejected on purpose is left out, and what is so from the start or about a host name. */
const cycle = faults.filter(
  ({ fromTheStart, newCallers, stage }) => !fromTheStart && stage?.host === undefined && !newCallers?.includes(401),
);

async function startCluster(stack: AsyncDisposableStack): Promise<TestCluster> {
  if (!values.real) return stack.use(await simulatedTestCluster('1.36'));
  const real = stack.use(await startKubeApiserver());
  return stack.use(startedTestCluster(startedCluster(real, '')));
}

class Service {
  readonly #process: ChildProcess;
  readonly port: number;

  static async start({ network, directory }: Surroundings): Promise<Service> {
    const file = fileURLToPath(new URL('service.ts', import.meta.url));
    const child = fork(file, [String(network.port), directory], {
      execArgv: [...fixedNursery, '--disable-warning=ExperimentalWarning'],
      // Otherwise Express prints each error.
      // And the C library gives each thread a heap of its own, whose freed pages it keeps.
      env: { ...process.env, NODE_ENV: 'test', MALLOC_ARENA_MAX: '1' },
    });
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    return new Service(child, port);
  }

  private constructor(child: ChildProcess, port: number) {
    this.#process = child;
    this.port = port;
  }

  async ask<Answer>(question: 'measure' | 'status' | 'close'): Promise<Answer> {
    const answered = once(this.#process, 'message');
    this.#process.send(question);
    const [answer] = (await answered) as [Answer];
    return answer;
  }

  /** Its exit code; `undefined` where it is still there after a while. */
  async ended(withinMs: number): Promise<number | undefined> {
    const exit = this.#process.exitCode === null ? once(this.#process, 'exit') : Promise.resolve();
    await Promise.race([exit, sleep(withinMs, undefined, { ref: false })]);
    return this.#process.exitCode ?? undefined;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}

/** Faults and rotations, one after the other and again from the beginning, until it is stopped. */
class Weather {
  readonly #running: Promise<void>;
  #isStopped = false;
  now = '';
  happened = 0;

  constructor(surroundings: Surroundings) {
    this.#running = this.#run(surroundings);
    // Whoever stops it is told.
    this.#running.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #run(surroundings: Surroundings): Promise<void> {
    for (let index = 0; !this.#isStopped; index += 1) {
      const { name, happen } = cycle[index % cycle.length] as Fault;
      this.now = name;
      const lift = await happen(surroundings);
      await sleep(faultMs);
      await lift();
      this.now = '';
      this.happened += 1;
      await surroundings.write('token', await surroundings.credential());
      await sleep(calmMs);
    }
  }
}

const columns = ['time', 'requests', 'a second', '200', '401', '503', 'resident', 'heap', 'sockets', 'timers'];
const widths = columns.map((name) => Math.max(name.length, 9) + 2);
const print = (cells: readonly unknown[]): void =>
  console.log(
    cells
      .map((cell, index) => String(cell).padEnd(widths[index] ?? 0))
      .join('')
      .trimEnd(),
  );

function printRow(when: string, load: FullLoad | undefined, elapsedMs: number, measured: Measurement, note = ''): void {
  const { residentMb, heapMb, sockets, timers } = measured;
  const count = load?.count ?? 0;
  const statuses = [200, 401, 503].map((status) => load?.statuses.get(status) ?? 0);
  const rate = elapsedMs > 0 ? Math.round(count / (elapsedMs / 1000)) : 0;
  print([
    when,
    count,
    rate,
    ...statuses,
    `${residentMb.toFixed(1)} MB`,
    `${heapMb.toFixed(2)} MB`,
    sockets,
    timers,
    note,
  ]);
}

/** Full load in that weather, told of as it goes on, for so long and until each fault has happened once; ends in calm. */
async function loadFor(ms: number, service: Service, load: FullLoad, surroundings: Surroundings): Promise<number> {
  const weather = new Weather(surroundings);
  const began = performance.now();
  while (performance.now() - began < ms || weather.happened < cycle.length) {
    await sleep(sampleEveryMs);
    const elapsed = performance.now() - began;
    printRow(`${Math.round(elapsed / 1000)} s`, load, elapsed, await service.ask('measure'), weather.now);
  }
  await weather.stop();
  await load.stop();
  return weather.happened;
}

async function atRest(service: Service): Promise<Measurement> {
  await sleep(restMs);
  return service.ask('measure');
}

await using stack = new AsyncDisposableStack();
const cluster = await startCluster(stack);
const callers = await createCallers(cluster);
const surroundings = stack.use(await makeSurroundings(cluster, true));
const service = await Service.start(surroundings);
stack.defer(() => service.kill());

console.log(
  `${values.minutes} minutes, ${callersAtOnce} callers at once, on ${cluster.name}, ${cycle.length} faults in turn`,
);
print(columns);
const atStart = await service.ask<Measurement>('measure');
printRow('start', undefined, 0, atStart);
const warmUp = new FullLoad(service.port, callers, callersAtOnce);
// Caches fill, code is compiled, and the heap finds its size for whatever may happen.
await loadFor(0, service, warmUp, surroundings);
const before = await atRest(service);
printRow('at rest', undefined, 0, before, 'warmed up: from here on nothing may grow');
const load = new FullLoad(service.port, callers, callersAtOnce);
const happened = await loadFor(soakMs, service, load, surroundings);
const after = await atRest(service);
printRow('at rest', undefined, 0, after);
const status = await service.ask<{ readonly logged: object }>('status');
const closed = await service.ask<Measurement>('close');
printRow('closed', undefined, 0, closed);
const exitCode = await service.ended(5_000);

const wrongs = [...warmUp.wrongs, ...load.wrongs];
const complaints = [
  [`${wrongs.length} answers were wrong, the first: ${wrongs[0]}`, wrongs.length > 0],
  [`the heap grew by ${(after.heapMb - before.heapMb).toFixed(2)} MB`, after.heapMb > before.heapMb + mostHeapGrowthMb],
  [
    `resident memory grew by ${(after.residentMb - before.residentMb).toFixed(1)} MB`,
    after.residentMb > before.residentMb * (1 + mostResidentGrowth),
  ],
  [`${after.sockets} sockets are open at rest`, after.sockets > atStart.sockets + pooled],
  [`${after.timers} timers run at rest, ${before.timers} did before`, after.timers > before.timers],
  [`${closed.sockets} sockets are open after close()`, closed.sockets > atStart.sockets],
  [`${closed.timers} timers run after close()`, closed.timers > atStart.timers],
  [`after close() the process did not end by itself: ${exitCode}`, exitCode !== 0],
] as const;
const found = complaints.filter(([, isTrue]) => isTrue).map(([text]) => text);

console.log(`\n${load.count} requests, ${happened} faults, the longest wait ${Math.round(load.longestMs)} ms`);
console.log(`Logged, by code: ${JSON.stringify(status.logged)}`);
console.log(found.length === 0 ? 'Flat.' : `Not flat: ${found.join('; ')}.`);
process.exitCode = found.length === 0 ? 0 : 1;
