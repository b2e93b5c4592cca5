// Reviews tokens that nobody has seen before: by this library, by client-node, and by a request written by hand.
import { setTimeout as sleep } from 'node:timers/promises';
import { AuthenticationV1Api, KubeConfig } from '@kubernetes/client-node';
import { createAuthenticator } from 'k8s-service-account-auth';
import { Agent, request } from 'undici';
import { audience } from '../bench.ts';
import { answerParent } from '../child.ts';
import type { Connection } from './cluster.ts';
import { kubeConfigOf } from './kube-config.ts';

type Review = (token: string) => Promise<void>;

const ways: Readonly<Record<string, (connection: Connection) => Promise<Review>>> = {
  library: async (connection) => {
    const authenticator = createAuthenticator({ audiences: audience, kubeConfig: kubeConfigOf(connection) });
    await authenticator.ready();
    return async (token) => void (await authenticator.authenticate(token));
  },
  'client-node': async ({ kubeConfigYaml }) => {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromString(kubeConfigYaml);
    const api = kubeConfig.makeApiClient(AuthenticationV1Api);
    return async (token) => {
      const { status } = await api.createTokenReview({ body: { spec: { token, audiences: [audience] } } });
      mustBeTrue(status?.authenticated);
    };
  },
  undici: async ({ server, ca, token: own }) => {
    const dispatcher = new Agent({ connect: { ca }, connections: 64 });
    const url = `${server}/apis/authentication.k8s.io/v1/tokenreviews`;
    const headers = { authorization: `Bearer ${own}`, 'content-type': 'application/json', accept: 'application/json' };
    return async (token) => {
      const review = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token, audiences: [audience] },
      };
      const { body } = await request(url, { method: 'POST', dispatcher, headers, body: JSON.stringify(review) });
      const { status } = (await body.json()) as { readonly status: { readonly authenticated?: boolean } };
      mustBeTrue(status.authenticated);
    };
  },
};

function mustBeTrue(authenticated: boolean | undefined): void {
  if (authenticated !== true) throw new Error('A good token was not authenticated');
}

const reviews: Record<string, Review> = {};

const answers = {
  prepare: async (connection: Connection): Promise<void> => {
    for (const [name, way] of Object.entries(ways)) reviews[name] = await way(connection);
  },
  /** Milliseconds a token, so many under way at once. */
  millisecondsPerToken: async (turn: { way: string; tokens: readonly string[]; atOnce: number }): Promise<number> => {
    const { way, tokens, atOnce } = turn;
    const review = reviews[way] as Review;
    const waiting = tokens.values();
    // What the other ways left to do is theirs.
    await sleep(20);
    const started = performance.now();
    const worker = async (): Promise<void> => {
      for (const token of waiting) await review(token);
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    return (performance.now() - started) / tokens.length;
  },
};
export type FirstRequestsAnswers = typeof answers;

answerParent(answers);
