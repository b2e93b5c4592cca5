// `npm run demo -- --help`
import { once } from 'node:events';
import { demoArguments, help } from './arguments.ts';
import type { DemoCluster } from './demo-cluster.ts';
import { invite } from './invite.ts';
import { play } from './play.ts';
import { Show } from './show.ts';
import { openStage } from './stage.ts';
import { Table } from './table.ts';

const say = (line: string): void => console.log(line);

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupted.abort(new Error('Interrupted')));
}

process.exitCode = await run(process.argv.slice(2));

async function run(argv: readonly string[]): Promise<number> {
  let args;
  try {
    args = demoArguments(argv);
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${help}`);
    return 2;
  }
  if (args.help) {
    say(help);
    return 0;
  }
  try {
    await using cluster = await clusterOf(args.kubeConfigFile);
    return await perform(cluster, args.serve);
  } catch (error) {
    console.error(messageOf(error));
    return 1;
  }
}

/** client-node is loaded by either, and only once it is clear that something will be played. */
async function clusterOf(kubeConfigFile: string | undefined): Promise<DemoCluster> {
  if (kubeConfigFile === undefined) return (await import('./simulated-demo-cluster.ts')).simulatedDemoCluster();
  return (await import('./real-demo-cluster.ts')).realDemoCluster(kubeConfigFile, say);
}

async function perform(cluster: DemoCluster, serve: boolean): Promise<number> {
  await using stage = await openStage(cluster);
  say(`The orders service (examples/orders-service) at ${stage.url}, on ${cluster.description}\n`);
  say(`Its routes, and who comes to them:\n\n${stage.access.toString()}\n`);
  const table = new Table(say);
  table.header();
  const show = new Show(stage, table, interrupted.signal);
  await play(stage, show);
  say(`\n${show.summary}${serve ? '' : ' Be a caller yourself: npm run demo -- --serve'}`);
  if (serve) {
    await invite(stage, say);
    if (!interrupted.signal.aborted) await once(interrupted.signal, 'abort');
  }
  return show.exitCode;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // `fetch failed` alone helps nobody.
  return error.cause instanceof Error ? `${error.message}: ${messageOf(error.cause)}` : error.message;
}
