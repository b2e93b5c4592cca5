import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** What a child process answers: questions by name. */
export type Answers = Readonly<Record<string, (question: never) => unknown>>;

type Question<Answer> = Answer extends (question: infer Asked) => unknown ? Asked : never;
type Answered<Answer> = Answer extends (question: never) => infer Result ? Awaited<Result> : never;

interface Call {
  readonly id: number;
  readonly name: string;
  readonly question: unknown;
}

interface Reply {
  readonly id: number;
  readonly answer?: unknown;
  readonly error?: string;
}

/** A process of our own that is measured, or that measures, out of the others' way. It ends with this one. */
export class Child<Answering extends Answers> implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #calls = 0;

  constructor(file: URL, nodeOptions: readonly string[] = []) {
    this.#process = fork(file, {
      execArgv: ['--disable-warning=ExperimentalWarning', ...nodeOptions],
      env: { ...process.env, NODE_ENV: 'production' },
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#process.on('message', (reply: Reply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (reply.error === undefined) waiting?.resolve(reply.answer);
      else waiting?.reject(new Error(reply.error));
    });
    // It could not be started, or not be told something.
    this.#process.on('error', (error) => this.#fail(error));
    this.#process.on('exit', (code, signal) => {
      this.#fail(new Error(`${file.pathname} ended (${signal ?? `exit status ${code}`})`));
    });
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  async ask<Name extends keyof Answering & string>(
    name: Name,
    question: Question<Answering[Name]>,
  ): Promise<Answered<Answering[Name]>> {
    this.#calls += 1;
    const call: Call = { id: this.#calls, name, question };
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(call.id, waiting);
    // To a process that has ended, too: then it is told that the channel is closed.
    this.#process.send(call, (error) => {
      if (error) this.#fail(error);
    });
    return (await waiting.promise) as Answered<Answering[Name]>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid, exitCode, signalCode } = this.#process;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill();
    await ended;
  }
}

/** In the child: answers what its parent asks, one question after the other, until the parent is gone. */
export function answerParent(answers: Answers): void {
  let last: Promise<unknown> = Promise.resolve();
  process.on('message', (call: Call) => {
    last = last.then(() => answer(answers, call)).then((reply) => process.send?.(reply));
  });
  process.on('disconnect', () => process.exit());
}

async function answer(answers: Answers, { id, name, question }: Call): Promise<Reply> {
  try {
    return { id, answer: await answers[name]?.(question as never) };
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
