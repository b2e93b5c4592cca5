import type { Bench } from '../bench.ts';
import { Child } from '../child.ts';
import { startKubeRbacProxy } from '../kube-rbac-proxy.ts';
import type { LoadAnswers } from '../processes/load.ts';
import type { Kind, ServiceAnswers } from '../processes/service.ts';
import { Rounds, type Subjects } from '../rounds.ts';
import { atLeast, type Goal, type Row, tokensInWords } from '../row.ts';
import { type Spread, spreadOf } from '../spread.ts';
import { withReviews } from '../with-reviews.ts';

const connections = 32;
const kinds: readonly Kind[] = ['bare', 'hash', 'library', 'jwt-bearer'];

/** Requests per second of a whole Express service: with this library, with its peers, and with nothing. */
export async function throughput(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const count of [1, bench.tokens.length]) rows.push(...(await ofTokens(bench, bench.tokens.slice(0, count))));
  if (!process.env['KUBE_RBAC_PROXY']) {
    rows.push({
      id: 'throughput-kube-rbac-proxy',
      measure: 'requests/s behind kube-rbac-proxy',
      unit: '× bare Express',
      value: undefined,
      note: 'skipped: set KUBE_RBAC_PROXY to its binary',
    });
  }
  return rows;
}

/** With services of their own, so that what they remember is young. */
async function ofTokens(bench: Bench, tokens: readonly string[]): Promise<Row[]> {
  const { cluster, connection, isQuick, rounds, say } = bench;
  const count = tokens.length;
  const keySet = await cluster.ask('keySet', undefined);
  await using started = new AsyncDisposableStack();
  const load = started.use(new Child<LoadAnswers>(new URL('../processes/load.ts', import.meta.url)));
  const services: Record<string, Child<ServiceAnswers>> = {};
  const urls: Record<string, string> = {};
  for (const kind of kinds) {
    const service = started.use(new Child<ServiceAnswers>(new URL('../processes/service.ts', import.meta.url)));
    services[kind] = service;
    urls[kind] = await service.ask('start', { kind, connection, keySet });
  }
  const proxy = await startKubeRbacProxy(connection, urls['bare'] ?? '');
  if (proxy) urls['kube-rbac-proxy'] = started.use(proxy).url;
  for (const [name, url] of Object.entries(urls)) {
    say(`${tokensInWords(count)}, ${name}: first requests`);
    await load.ask('run', { url, tokens, connections, amount: bench.tokens.length, expectedStatus: 200 });
  }
  // The same by the service's CPU time, which does not mind what else the machine does; round by round.
  const microseconds: Record<string, number[]> = {};
  const turnOf = async (name: string, url: string): Promise<number> => {
    const before = await services[name]?.ask('cpu', undefined);
    const seconds = isQuick ? 0.5 : 1;
    const turn = { url, tokens, connections, seconds, expectedStatus: 200 };
    const { requests, perSecond } = await withReviews(services[name], 0, () => load.ask('run', turn));
    const after = await services[name]?.ask('cpu', undefined);
    if (before !== undefined && after !== undefined) (microseconds[name] ??= []).push((after - before) / requests);
    return perSecond;
  };
  const subjects: Subjects<string> = Object.fromEntries(
    Object.entries(urls).map(([name, url]) => [name, () => turnOf(name, url)]),
  );
  const onRound = (round: number): void => say(`${tokensInWords(count)}, round ${round}`);
  const wellKnown = [
    ['library', 'hash'],
    ['library', 'bare'],
  ] as const;
  const measured = await Rounds.of<string>(subjects, wellKnown, { ...rounds, onRound });
  const perCpuSecond = (name: string, other: string): Spread | undefined => {
    const [own, others] = [microseconds[name], microseconds[other]];
    return own && others && spreadOf(own.map((each, round) => (others[round] ?? 0) / each).slice(1));
  };
  const compared = (name: string, measure: string, other: string, goal?: Goal): Row[] => {
    const unit = other === 'bare' ? '× bare Express' : '× Express with the hash only';
    const byCpu = perCpuSecond(name, other);
    const row = (id: string, what: string, value: Spread): Row => ({
      id: `${id}-${name}-${other}-${count}`,
      measure: `${what} ${measure}, ${tokensInWords(count)}`,
      unit,
      value,
      goal,
    });
    return [
      row('throughput', 'requests/s', measured.ratio(name, other)),
      ...(byCpu ? [row('cpu', 'requests per second of CPU', byCpu)] : []),
    ];
  };
  const spent = Object.entries(microseconds)
    .map(([name, each]) => `${name} ${spreadOf(each.slice(1)).median.toFixed(1)}`)
    .join(', ');
  const [first, ...others] = compared('library', 'with the middleware and two guards', 'hash', atLeast(0.97));
  return [
    ...(first ? [{ ...first, note: `CPU of each service in µs a request: ${spent}` }, ...others] : []),
    ...compared('library', 'with the middleware and two guards', 'bare', atLeast(0.82)),
    ...compared('hash', 'with a hash of the token only', 'bare'),
    ...compared('jwt-bearer', 'with express-oauth2-jwt-bearer', 'bare'),
    ...(proxy ? compared('kube-rbac-proxy', 'behind kube-rbac-proxy', 'bare') : []),
  ];
}
