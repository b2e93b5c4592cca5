// Who calls honestly: some with tokens that the service knows, some each time with a new one. Measures how long it takes.
import { answerQuestions } from './child.ts';
import { outcomeOf, paced, RawConnections } from './raw-connection.ts';

export interface CallersQuestion {
  readonly port: number;
  readonly localAddress: string;
  /** Used again and again. */
  readonly known: readonly string[];
  readonly knownPerSecond: number;
  /** Each used once. */
  readonly fresh: readonly string[];
  readonly freshPerSecond: number;
  readonly forMs: number;
}

export interface CallersAnswer {
  readonly known: Measured;
  readonly fresh: Measured;
}

export interface Measured {
  readonly latenciesMs: readonly number[];
  readonly outcomes: Readonly<Record<string, number>>;
}

async function call(question: CallersQuestion): Promise<CallersAnswer> {
  const { port, localAddress, known, knownPerSecond, fresh, freshPerSecond, forMs } = question;
  const connections = new RawConnections(port, localAddress, 1_000);
  const began = performance.now();
  const isOver = (): boolean => performance.now() - began >= forMs;
  let next = 0;
  const knownToken = (): string | undefined => known[(next += 1) % known.length];
  const freshToken = fresh.values();
  const [measuredKnown, measuredFresh] = await Promise.all([
    measure(connections, knownPerSecond, isOver, knownToken),
    measure(connections, freshPerSecond, isOver, () => freshToken.next().value),
  ]);
  connections.close();
  return { known: measuredKnown, fresh: measuredFresh };
}

async function measure(
  connections: RawConnections,
  perSecond: number,
  isOver: () => boolean,
  token: () => string | undefined,
): Promise<Measured> {
  const latenciesMs: number[] = [];
  const outcomes: Record<string, number> = {};
  const sent: Promise<void>[] = [];
  const send = (): void => {
    const own = token();
    const connection = connections.idle();
    if (own === undefined || connection === undefined) throw new Error('Too few tokens or connections');
    const began = performance.now();
    sent.push(
      connection.get(own).then((answer) => {
        latenciesMs.push(performance.now() - began);
        const outcome = outcomeOf(answer);
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      }),
    );
  };
  await paced(perSecond, isOver, send);
  await Promise.all(sent);
  return { latenciesMs, outcomes };
}

answerQuestions(call);
