import {
  type AuthenticatorOptions,
  bearerToken,
  createAuthenticator,
  ServiceAccountAuthError,
} from '../../../src/index.ts';
import type { KubeConfigLike } from '../../../src/kubernetes/kube-config.ts';
import { claimsOf } from './claims-of.ts';
import { startOrdersService } from './orders-service.ts';
import { rawGet, type RawResponse } from './raw-get.ts';
import type { Presented } from './scenario.ts';
import type { Scene } from './scene.ts';

/** What the API server, the library and an Express app make of what was presented, in a form that can be compared. */
export async function observe(scene: Scene, presented: Presented): Promise<unknown> {
  const { client, clock } = scene.cluster;
  if ('call' in presented) {
    const { method, path, body, token, headers } = presented.call;
    const { status, body: answer } = await client.request(method, path, body, {
      ...(token !== undefined && { token }),
      ...(headers && { headers }),
    });
    return scene.normalised({ answer: { http: status, body: withoutToken(answer) } }, token ?? undefined);
  }

  const { audiences = ['orders'], reviewer = scene.reviewerToken } = presented;
  const authorization = 'token' in presented ? [`Bearer ${presented.token}`] : presented.authorization;
  // Of a header, what stands after the scheme is what a service without this library would send.
  const token = 'token' in presented ? presented.token : (authorization[0] ?? '').replace(/^\S+ ?/, '');
  const options: AuthenticatorOptions = {
    ...(audiences.length > 0 && { audiences }),
    kubeConfig: reviewer === null ? anonymous(client.kubeConfigOf('')) : client.kubeConfigOf(reviewer),
    review: { timeoutMs: 30_000 },
    clock,
    log: false,
  };
  const body = { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', spec: { token, audiences } };
  const path = '/apis/authentication.k8s.io/v1/tokenreviews';
  const review = await client.request('POST', path, body, { token: reviewer });
  const observation = {
    review: { http: review.status, body: review.body },
    verdict: await verdict(options, authorization, token),
    response: await response(options, authorization),
  };
  return scene.normalised(observation, token);
}

async function verdict(
  options: AuthenticatorOptions,
  authorization: readonly string[],
  token: string,
): Promise<unknown> {
  await using authenticator = createAuthenticator(options);
  const startedAt = options.clock?.now() ?? 0;
  try {
    const values = authorization.map((value) => value.trim());
    const identity = await authenticator.authenticate(bearerToken(values.length > 1 ? values : values[0]));
    const { iat, exp } = claimsOf(token) ?? {};
    const isFresh = identity.reviewedAt >= startedAt - 1 && identity.reviewedAt <= (options.clock?.now() ?? 0);
    return {
      ...identity,
      ...(identity.issuedAt === Number(iat) * 1000 && { issuedAt: '<iat>' }),
      ...(identity.expiresAt === Number(exp) * 1000 && { expiresAt: '<exp>' }),
      ...(isFresh && { reviewedAt: '<now>' }),
    };
  } catch (error) {
    if (error instanceof ServiceAccountAuthError) return error.code;
    throw error;
  }
}

async function response(options: AuthenticatorOptions, authorization: readonly string[]): Promise<unknown> {
  await using service = await startOrdersService(options);
  return summary(await rawGet(service.port, authorization));
}

function summary({ status, headers, body }: RawResponse): unknown {
  const { 'www-authenticate': challenge, 'retry-after': retryAfter } = headers;
  return {
    status,
    ...(challenge !== undefined && { challenge }),
    ...(retryAfter !== undefined && { retryAfter }),
    ...(status === 200 && JSON.parse(body)),
  };
}

function anonymous(kubeConfig: KubeConfigLike): KubeConfigLike {
  return {
    getCurrentCluster: () => kubeConfig.getCurrentCluster(),
    applyToHTTPSOptions: async (options) => {
      await kubeConfig.applyToHTTPSOptions(options);
      delete options.headers;
    },
  };
}

/** A TokenRequest's answer holds the token itself; what stands in it is compared wherever tokens are reviewed. */
function withoutToken(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer).replaceAll(/"eyJ[\w-]+\.[\w-]+\.[\w-]+"/g, '"<token>"'));
}
