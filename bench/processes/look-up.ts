// Looks up tokens that are in the cache, and hashes them.
import { hash } from 'node:crypto';
import { type Authenticator, createAuthenticator } from 'k8s-service-account-auth';
import { audience } from '../bench.ts';
import { answerParent } from '../child.ts';
import { longest, mustBeAtRest } from './at-rest.ts';
import type { Connection } from './cluster.ts';
import { kubeConfigOf } from './kube-config.ts';
import { nanosecondsPerCall } from './turn.ts';

let tokens: readonly string[] = [];
let authenticator: Authenticator | undefined;

export interface Turn {
  /** How many of the tokens, one after the other. */
  readonly count: number;
  readonly turnMs: number;
}

const calls = {
  cached: (token: string): void => {
    if (authenticator?.cached(token) === undefined) throw new Error('A token was not in the cache');
  },
  hash: (token: string): void => void hash('sha256', token, 'base64'),
};

const answers = {
  /** A new cache, filled. */
  prepare: async ({
    connection,
    tokens: given,
  }: {
    connection: Connection;
    tokens: readonly string[];
  }): Promise<void> => {
    tokens = given;
    await authenticator?.close();
    const filled = createAuthenticator({ audiences: audience, kubeConfig: kubeConfigOf(connection), cache: longest });
    for (let start = 0; start < tokens.length; start += 500) {
      await Promise.all(tokens.slice(start, start + 500).map((token) => filled.authenticate(token)));
    }
    authenticator = filled;
  },
  nanoseconds: ({ what, count, turnMs }: Turn & { what: keyof typeof calls }): number => {
    const nanoseconds = nanosecondsPerCall(tokens.slice(0, count), turnMs, calls[what]);
    mustBeAtRest(authenticator);
    return nanoseconds;
  },
};
export type LookUpAnswers = typeof answers;

answerParent(answers);
