import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { TokenReviewRequest } from 'k8s-service-account-auth';
import { createServerCertificate } from '../../src/testing/simulated-cluster/certificate.ts';
import type { Connection } from './cluster.ts';

/**
 * An API server that believes every token, so that what is measured against it is its client. It answers TokenReviews over
 * TLS and in the form of a real one, and publishes the keys of the cluster.
 */
export async function startQuickApiServer(reviewerToken: string, keySet: string): Promise<Connection> {
  const loopback = { dnsNames: ['localhost'], addresses: [Uint8Array.of(127, 0, 0, 1)] };
  const { ca, certificate, key } = await createServerCertificate(loopback);
  const server = createServer({ key, cert: certificate, keepAliveTimeout: 60_000 }, (request, response) => {
    const answer = async (): Promise<void> => {
      const isReview = request.method === 'POST';
      const body = isReview ? reviewed(JSON.parse(await text(request)) as TokenReviewRequest) : keySet;
      response.writeHead(isReview ? 201 : 200, {
        'content-type': isReview ? 'application/json' : 'application/jwk-set+json',
      });
      response.end(body);
    };
    answer().catch((error: unknown) => response.destroy(error as Error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const kubeConfigYaml = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'quick', cluster: { server: address, 'certificate-authority-data': Buffer.from(ca).toString('base64') } },
    ],
    users: [{ name: 'reviewer', user: { token: reviewerToken } }],
    contexts: [{ name: 'quick', context: { cluster: 'quick', user: 'reviewer' } }],
    'current-context': 'quick',
  });
  return { server: address, ca, token: reviewerToken, kubeConfigYaml };
}

interface PodToken {
  readonly jti: string;
  readonly 'kubernetes.io': {
    readonly namespace: string;
    readonly serviceaccount: { readonly name: string; readonly uid: string };
    readonly pod: { readonly name: string; readonly uid: string };
    readonly node: { readonly name: string; readonly uid: string };
  };
}

/** What an API server answers to a TokenReview of a good Pod-bound token, which it reads without looking at the signature. */
export function reviewed({ spec, ...review }: TokenReviewRequest): string {
  const [, payload] = spec.token.split('.');
  // Such as the one that `ready()` sends.
  if (payload === undefined) return JSON.stringify({ ...review, spec, status: { user: {}, error: 'not a JWT' } });
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as PodToken;
  const { namespace, serviceaccount, pod, node } = claims['kubernetes.io'];
  return JSON.stringify({
    ...review,
    metadata: { creationTimestamp: null },
    spec,
    status: {
      authenticated: true,
      user: {
        username: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
        uid: serviceaccount.uid,
        groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
        extra: {
          'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`],
          'authentication.kubernetes.io/node-name': [node.name],
          'authentication.kubernetes.io/node-uid': [node.uid],
          'authentication.kubernetes.io/pod-name': [pod.name],
          'authentication.kubernetes.io/pod-uid': [pod.uid],
        },
      },
      audiences: spec.audiences,
    },
  });
}
