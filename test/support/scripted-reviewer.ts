import type { Circuit, Review, Reviewer, Share, Turn } from '../../src/authentication/reviewer.ts';
import { podReview } from './tokens.ts';

/** A reviewer that answers as a test says, and remembers what it was asked. */
export class ScriptedReviewer implements Reviewer {
  answer: (token: string) => Promise<Review> = async () => podReview();
  spareCapacity = true;
  circuit: Circuit = 'closed';
  closed = 0;
  readonly asked: string[] = [];
  /** For how long each of them had been waiting already, in milliseconds. */
  readonly waited: number[] = [];
  /** Whose turn each of them was. */
  readonly shares: Share[] = [];

  review(token: string, { share, waitedMs }: Turn): Promise<Review> {
    this.asked.push(token);
    this.waited.push(waitedMs);
    this.shares.push(share);
    return this.answer(token);
  }

  hasSpareCapacity(): boolean {
    return this.spareCapacity;
  }

  async ready(): Promise<void> {
    await this.answer('ready');
  }

  async close(): Promise<void> {
    this.closed += 1;
  }

  /** Lets every review wait until it is told its answer. */
  hold(): { readonly answer: (review: Review) => void; readonly fail: (error: unknown) => void } {
    const { promise, resolve, reject } = Promise.withResolvers<Review>();
    this.answer = () => promise;
    return { answer: resolve, fail: reject };
  }
}
