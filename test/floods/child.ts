import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** A process of its own, which answers one question at a time. Ends with this one. */
export class Child implements AsyncDisposable {
  readonly #process: ChildProcess;

  constructor(file: string, ...execArgv: string[]) {
    this.#process = fork(path.join(import.meta.dirname, file), { execArgv });
  }

  async ask<Answer>(question: object): Promise<Answer> {
    this.#process.send(question);
    const answered = new AbortController();
    const { signal } = answered;
    try {
      const ended = once(this.#process, 'exit', { signal }).then(() => {
        throw new Error('The process that was asked has ended');
      });
      const [answer] = (await Promise.race([once(this.#process, 'message', { signal }), ended])) as [Answer];
      return answer;
    } finally {
      answered.abort();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null) return;
    this.#process.disconnect();
    await once(this.#process, 'exit');
  }
}

/** In the child: answers what it is asked, until the parent is gone. */
export function answerQuestions(answer: (question: never) => Promise<object>): void {
  process.on('message', (question) => {
    void answer(question as never).then((answered) => process.send?.(answered));
  });
  process.once('disconnect', () => process.exit());
}
