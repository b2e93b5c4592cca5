import type { Bench } from '../bench.ts';
import { Child } from '../child.ts';
import { GoCache } from '../go-cache.ts';
import type { LookUpAnswers } from '../processes/look-up.ts';
import { Rounds, type Subjects } from '../rounds.ts';
import { atMost, type Row, tokensInWords } from '../row.ts';

/** A token in the cache: its time, against the token cache of kube-apiserver and against one hash of the token. */
export async function lookUp({ connection, tokens, rounds, turnMs, say }: Bench): Promise<Row[]> {
  await using library = new Child<LookUpAnswers>(new URL('../processes/look-up.ts', import.meta.url));
  say('building the Go program');
  await using go = await GoCache.start(tokens);
  const rows: Row[] = [];
  for (const { count, hashGoal } of [
    { count: 1, hashGoal: 1.5 },
    { count: tokens.length, hashGoal: 2 },
  ]) {
    say(`reviewing ${tokens.length} tokens`);
    await library.ask('prepare', { connection, tokens });
    const turn = { count, turnMs };
    const subjects: Subjects<string> = {
      cached: () => library.ask('nanoseconds', { ...turn, what: 'cached' }),
      hash: () => library.ask('nanoseconds', { ...turn, what: 'hash' }),
      ...(go && { go: () => go.nanoseconds(turn) }),
    };
    const ratios = Object.keys(subjects).map((other) => ['cached', other] as const);
    const onRound = (round: number): void => say(`${count} tokens, round ${round}`);
    const measured = await Rounds.of(subjects, ratios, { ...rounds, onRound });
    const note = Object.keys(subjects)
      .map((name) => `${name} ${Math.round(measured.spread(name).median)} ns`)
      .join(', ');
    const measure = `\`cached\` on a warm token, ${tokensInWords(count)}`;
    rows.push(
      ...(go
        ? [
            {
              id: `go-hash-${count}`,
              measure: `a hit in the Go token cache, ${tokensInWords(count)}`,
              unit: '× one `crypto.hash`',
              value: measured.ratio('go', 'hash'),
            },
          ]
        : []),
      {
        id: `cached-go-${count}`,
        measure,
        unit: '× the Go token cache',
        goal: atMost(1),
        ...(go
          ? { value: measured.ratio('cached', 'go'), note }
          : { value: undefined, note: 'skipped: there is no `go` in PATH' }),
      },
      {
        id: `cached-hash-${count}`,
        measure,
        unit: '× one `crypto.hash`',
        goal: atMost(hashGoal),
        value: measured.ratio('cached', 'hash'),
        note,
      },
    );
  }
  return rows;
}
