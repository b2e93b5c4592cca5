import { type Spread, spreadOf, widthOf } from './spread.ts';

/** What is compared: each measures one short round of itself, and says what it came to. */
export type Subjects<Name extends string> = Readonly<Record<Name, () => number | Promise<number>>>;

export interface RoundsOptions {
  readonly atLeast: number;
  /** Where the quartiles of a ratio lie further apart than a tenth of it, rounds go on up to this many. */
  readonly atMost: number;
  readonly onRound?: ((round: number) => void) | undefined;
}

const wide = 0.1;

/**
 * Measurements side by side: in each round every subject has its turn, so that whatever else the machine does hits all of
 * them alike. Each round starts with another subject. Ratios are taken within a round, and their median over the rounds.
 */
export class Rounds<Name extends string> {
  readonly #rounds: Readonly<Record<Name, number>>[];

  private constructor(rounds: Readonly<Record<Name, number>>[]) {
    this.#rounds = rounds;
  }

  /** @param ratios those that must be known well: `[one, other]` for one ÷ other */
  static async of<Name extends string>(
    subjects: Subjects<Name>,
    ratios: readonly (readonly [Name, Name])[],
    { atLeast, atMost, onRound }: RoundsOptions,
  ): Promise<Rounds<Name>> {
    const names = Object.keys(subjects) as Name[];
    const measured: Record<Name, number>[] = [];
    const rounds = new Rounds(measured);
    const isWide = (): boolean => ratios.some(([one, other]) => widthOf(rounds.ratio(one, other)) > wide);
    // One more, before the first, is for the compilers.
    for (let round = 0; round <= atLeast || (round <= atMost && isWide()); round++) {
      onRound?.(round);
      const values = {} as Record<Name, number>;
      const first = round % names.length;
      for (const name of [...names.slice(first), ...names.slice(0, first)]) values[name] = await subjects[name]();
      if (round > 0) measured.push(values);
    }
    return rounds;
  }

  ratio(one: Name, other: Name): Spread {
    return spreadOf(this.#rounds.map((round) => round[one] / round[other]));
  }

  /** How much more the one comes to. */
  difference(one: Name, other: Name): Spread {
    return spreadOf(this.#rounds.map((round) => round[one] - round[other]));
  }

  spread(name: Name): Spread {
    return spreadOf(this.#rounds.map((round) => round[name]));
  }
}
