import type { Attributes } from '../cluster-client/access.ts';
import type { KubernetesObject } from '../cluster-client/kubernetes-object.ts';
import { authorize, type Decision } from './authorize.ts';
import { TokenAuthenticator, type TokenAuthority } from './authenticate.ts';
import { discoveryDocument } from './discovery.ts';
import { asStored, copyOf, isDryRun } from './dry-run.ts';
import { impersonated } from './impersonate.ts';
import { type Kind, KINDS, NAMESPACE, NODE, POD, RBAC_GROUP, SERVICE_ACCOUNT } from './kinds.ts';
import { isTrue, parseListOptions, parseWatchOptions } from './list-options.ts';
import { ObjectApi, type ObjectList } from './object-api.ts';
import { openApiDocument } from './open-api.ts';
import { type Representation, representationFor } from './representation.ts';
import { reviewOwnRules } from './self-subject-rules-review.ts';
import type { NonResourceRequest, RequestInfo, ResourceRequest } from './request-info.ts';
import { readDeleteOptions, readMergePatch, readObject } from './request-body.ts';
import { jsonWebKeySet } from './signing-key.ts';
import {
  forbidden,
  isStatus,
  methodNotAllowed,
  noSuchResource,
  notAcceptable,
  type Status,
  StatusError,
  unauthorized,
} from './status.ts';
import type { Store } from './store.ts';
import { reviewLocalAccess, reviewOwnAccess, reviewSubjectAccess } from './subject-access-review.ts';
import { timestamp } from './timestamp.ts';
import { requestToken } from './token-request.ts';
import { reviewToken } from './token-review.ts';
import { refuseUnknownFields } from './unknown-fields.ts';
import type { User } from './user.ts';
import { type Stream, Watch } from './watch.ts';

export interface ApiRequest {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly info: RequestInfo;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface ApiAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  /** What comes after `body`, for as long as the connection lasts. */
  readonly stream?: Stream;
}

export interface ApiServerOptions {
  readonly authority: TokenAuthority;
  readonly controllers: boolean;
  /** `https://host:port`, for the discovery document. */
  readonly address: () => string;
}

interface Change {
  readonly objects: ObjectApi;
  readonly finished: <Answer extends KubernetesObject | Status>(answer: Answer) => Answer;
}

/** Everything an API server does between a request and its answer: who asks, may they, and what is the answer. */
export class ApiServer {
  readonly #options: ApiServerOptions;
  readonly #authenticator: TokenAuthenticator;
  readonly #objects: ObjectApi;

  constructor(options: ApiServerOptions) {
    this.#options = options;
    this.#authenticator = new TokenAuthenticator(options.authority);
    this.#objects = this.#objectsOf(options.authority.etcd);
  }

  answer(request: ApiRequest): ApiAnswer {
    try {
      const caller = this.#caller(request);
      const user = impersonated(caller, request.headers, (attributes) => {
        this.#requireRight(caller, { type: 'resource', version: 'v1', ...attributes });
      });
      this.#requireRight(user, request.info);
      return request.info.type === 'resource'
        ? this.#answerResource(user, request, request.info)
        : this.#answerPath(request, request.info);
    } catch (error) {
      if (error instanceof StatusError) return json(error.status.code, error.status);
      throw error;
    }
  }

  /** What it remembers of the tokens it has seen, as if it had just been started. */
  forgetTokens(): void {
    this.#authenticator.forget();
  }

  #caller({ headers }: ApiRequest): User {
    const { apiAudiences } = this.#options.authority;
    const verdict = this.#authenticator.authenticate(first(headers['authorization']) ?? '', apiAudiences);
    if (!verdict.user) throw unauthorized();
    return verdict.user;
  }

  #requireRight(user: User, info: RequestInfo): void {
    const attributes = info.type === 'resource' ? info : { path: info.path, verb: info.verb };
    const { allowed, reason } = this.#decide(user, attributes);
    if (allowed) return;
    const why = reason && `: ${reason}`;
    const who = `User ${JSON.stringify(user.username)} cannot ${info.verb}`;
    if (info.type === 'nonResource') {
      throw forbidden({ group: '', resource: '' }, '', sanitized(`${who} path ${JSON.stringify(info.path)}${why}`));
    }
    const resource = info.subresource ? `${info.resource}/${info.subresource}` : info.resource;
    const where = info.namespace ? `in the namespace ${JSON.stringify(info.namespace)}` : 'at the cluster scope';
    const what = `resource ${JSON.stringify(resource)} in API group ${JSON.stringify(info.group)}`;
    throw forbidden(info, info.name, sanitized(`${who} ${what} ${where}${why}`));
  }

  readonly #decide = (user: User, attributes: Attributes): Decision =>
    authorize(user, attributes, this.#options.authority);

  #answerResource(user: User, request: ApiRequest, info: ResourceRequest): ApiAnswer {
    const { group, version, resource } = info;
    if (group === '' || group === RBAC_GROUP) return this.#answerObject(request, info);
    const review = version === 'v1' ? this.#reviews[`${resource}.${group}`] : undefined;
    const isLocal = review?.kind === 'LocalSubjectAccessReview';
    if (review && info.name === '' && isLocal === (info.namespace !== '')) {
      if (request.method !== 'POST') throw methodNotAllowed();
      const body = readObject(contentOf(request), review.kind, `${group}/v1`);
      refuseUnknownFields(request.query, body, review.kind);
      return json(201, review.answer(body, user, info.namespace));
    }
    if (group === 'authentication.k8s.io' || group === 'authorization.k8s.io') throw noSuchResource();
    return pageNotFound();
  }

  readonly #reviews: Readonly<
    Record<
      string,
      { readonly kind: string; readonly answer: (body: unknown, caller: User, namespace: string) => object }
    >
  > = {
    'tokenreviews.authentication.k8s.io': {
      kind: 'TokenReview',
      answer: (body) => reviewToken(this.#authenticator, this.#options.authority, body),
    },
    'selfsubjectreviews.authentication.k8s.io': {
      kind: 'SelfSubjectReview',
      answer: (_body, caller) => ({
        kind: 'SelfSubjectReview',
        apiVersion: 'authentication.k8s.io/v1',
        metadata: { creationTimestamp: timestamp(this.#options.authority.clock.now()) },
        status: { userInfo: caller },
      }),
    },
    'subjectaccessreviews.authorization.k8s.io': {
      kind: 'SubjectAccessReview',
      answer: (body) => reviewSubjectAccess(this.#decide, this.#options.authority.version, body),
    },
    'localsubjectaccessreviews.authorization.k8s.io': {
      kind: 'LocalSubjectAccessReview',
      answer: (body, _caller, namespace) =>
        reviewLocalAccess(this.#decide, this.#options.authority.version, namespace, body),
    },
    'selfsubjectrulesreviews.authorization.k8s.io': {
      kind: 'SelfSubjectRulesReview',
      answer: (body, caller) => {
        const { store, version } = this.#options.authority;
        return reviewOwnRules(store, version, caller, body);
      },
    },
    'selfsubjectaccessreviews.authorization.k8s.io': {
      kind: 'SelfSubjectAccessReview',
      answer: (body, caller) => reviewOwnAccess(this.#decide, this.#options.authority.version, caller, body),
    },
  };

  #answerObject(request: ApiRequest, info: ResourceRequest): ApiAnswer {
    const kind = KINDS.find(({ group, resource }) => group === info.group && resource === info.resource);
    const { version, namespace, name, subresource } = info;
    const isMisplaced = kind && !kind.namespaced && kind !== NAMESPACE && namespace !== '';
    if (!kind || isMisplaced || version !== 'v1') throw noSuchResource();
    if (!name) return this.#answerCollection(kind, request, namespace);
    // A namespaced object is only reached by way of its namespace.
    if (kind.namespaced && !namespace) throw noSuchResource();
    if (subresource) return this.#answerSubresource(kind, request, info);

    switch (request.method) {
      case 'GET':
        return this.#shown(request, kind, this.#objects.get(kind, namespace, name));
      case 'PUT': {
        const body = readObject(contentOf(request), kind.kind, kind.apiVersion);
        const { objects, finished } = this.#change(request, kind);
        const { object, created } = objects.replace(kind, namespace, name, body);
        return this.#shown(request, kind, finished(object), created ? 201 : 200);
      }
      case 'PATCH': {
        const patch = readMergePatch(contentOf(request));
        const { objects, finished } = this.#change(request, kind);
        return this.#shown(request, kind, finished(objects.patch(kind, namespace, name, patch)));
      }
      case 'DELETE': {
        const options = readDeleteOptions(contentOf(request), request.query);
        const { objects, finished } = this.#change(request, kind, options);
        return this.#shown(request, kind, finished(objects.delete(kind, namespace, name, options)));
      }
      default:
        throw methodNotAllowed();
    }
  }

  #shown(request: ApiRequest, kind: Kind, answer: KubernetesObject | Status, status = 200): ApiAnswer {
    return json(status, isStatus(answer) ? answer : this.#representation(request, kind, 'object').one(answer));
  }

  #objectsOf(etcd: Store): ObjectApi {
    const { authority, controllers } = this.#options;
    const { store: cache, clock, version } = authority;
    return new ObjectApi({ store: etcd, cache, clock, version, requireServiceAccounts: controllers });
  }

  /** What a change is done to, and what is then made of its answer. */
  #change({ method, query }: ApiRequest, kind: Kind, deleteOptions?: unknown): Change {
    if (!isDryRun(method, query, deleteOptions)) return { objects: this.#objects, finished: (answer) => answer };
    const { etcd } = this.#options.authority;
    return { objects: this.#objectsOf(copyOf(etcd)), finished: (answer) => asStored(etcd, kind, answer) };
  }

  #answerCollection(kind: Kind, request: ApiRequest, namespace: string): ApiAnswer {
    if (request.method === 'POST' && (!kind.namespaced || namespace)) {
      const body = readObject(contentOf(request), kind.kind, kind.apiVersion);
      refuseUnknownFields(request.query, body, kind.kind);
      const { objects, finished } = this.#change(request, kind);
      return this.#shown(request, kind, finished(objects.create(kind, namespace, body)), 201);
    }
    const isDelete = request.method === 'DELETE' && kind !== NAMESPACE && (!kind.namespaced || namespace !== '');
    if (request.method !== 'GET' && !isDelete) throw methodNotAllowed();
    if (!isDelete && isTrue(request.query.get('watch'))) return this.#answerWatch(kind, request, namespace);
    const representation = this.#representation(request, kind, 'list');
    const { items, metadata } = isDelete
      ? this.#deleteAll(kind, request, namespace)
      : this.#objects.list(kind, namespace, parseListOptions(kind, request.query));
    return json(200, representation.list(items, metadata));
  }

  #deleteAll(kind: Kind, request: ApiRequest, namespace: string): ObjectList {
    const options = readDeleteOptions(contentOf(request), request.query);
    const { objects } = this.#change(request, kind, options);
    return objects.deleteAll(kind, namespace, parseListOptions(kind, request.query), options);
  }

  #answerWatch(kind: Kind, request: ApiRequest, namespace: string): ApiAnswer {
    const representation = this.#representation(request, kind, 'watch');
    const options = parseWatchOptions(kind, request.query, this.#options.authority.version);
    const stream = new Watch(this.#options.authority, kind, namespace, options, representation);
    return { status: 200, contentType: 'application/json', body: stream.beginning, stream };
  }

  #representation({ headers }: ApiRequest, kind: Kind, shape: 'object' | 'list' | 'watch'): Representation {
    const { clock, version } = this.#options.authority;
    return representationFor(first(headers['accept']), kind, { now: clock.now(), version, shape });
  }

  #answerSubresource(kind: Kind, request: ApiRequest, { namespace, name, subresource }: ResourceRequest): ApiAnswer {
    if (subresource === 'status' && HAVE_STATUS.includes(kind)) {
      if (request.method !== 'PUT') throw methodNotAllowed();
      const body = readObject(contentOf(request), kind.kind, kind.apiVersion);
      return json(200, this.#objects.replaceStatus(kind, namespace, name, body));
    }
    if (kind !== SERVICE_ACCOUNT || subresource !== 'token') throw noSuchResource();
    if (request.method !== 'POST') throw methodNotAllowed();
    const body = readObject(contentOf(request), 'TokenRequest', 'authentication.k8s.io/v1');
    this.#objects.requireLivingNamespace(kind, namespace, name);
    return json(201, requestToken(this.#options.authority, namespace, name, body));
  }

  #answerPath(request: ApiRequest, { path }: NonResourceRequest): ApiAnswer {
    // Only the health checks are taken literally.
    const page = this.#pages[path] ?? (path.endsWith('z/') ? undefined : this.#page(path.replace(/\/$/, '')));
    if (!page) return path.startsWith('/api/') ? json(404, noSuchResource().status) : pageNotFound();
    if (request.method !== 'GET') throw methodNotAllowed();
    const answer = page();
    if (!accepts(first(request.headers['accept']), answer.contentType)) throw notAcceptable(answer.contentType);
    return answer;
  }

  #page(path: string): (() => ApiAnswer) | undefined {
    const document = discoveryDocument(path, this.#options.address()) ?? openApiDocument(path);
    return document ? () => json(200, document) : this.#pages[path];
  }

  readonly #pages: Readonly<Record<string, () => ApiAnswer>> = {
    '/healthz': ok,
    '/livez': ok,
    '/readyz': ok,
    '/version': () => {
      const { gitVersion } = this.#options.authority.version;
      const [major, minor] = gitVersion.slice(1).split('.');
      return json(200, { major, minor, gitVersion, platform: 'simulated' });
    },
    '/openapi/v2': () => ({ status: 200, contentType: OPEN_API_V2, body: NO_KINDS }),
    '/openid/v1/jwks': () => ({
      status: 200,
      contentType: 'application/jwk-set+json',
      headers: CACHE_FOR_AN_HOUR,
      body: JSON.stringify(jsonWebKeySet(this.#options.authority.keys)),
    }),
    '/.well-known/openid-configuration': () => ({
      ...json(200, {
        issuer: this.#options.authority.issuers[0],
        jwks_uri: `${this.#options.address()}/openid/v1/jwks`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: [
          ...new Set(jsonWebKeySet(this.#options.authority.keys).keys.map(({ alg }) => String(alg))),
        ].toSorted((a, b) => a.localeCompare(b)),
      }),
      headers: CACHE_FOR_AN_HOUR,
    }),
  };
}

const HAVE_STATUS: readonly Kind[] = [NAMESPACE, NODE, POD];
/** An empty message, which is no byte at all: kubectl looks here for kinds that it does not find in `/openapi/v3`. */
const NO_KINDS = '';
const OPEN_API_V2 = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
const CACHE_FOR_AN_HOUR = { 'cache-control': 'public, max-age=3600' };

function ok(): ApiAnswer {
  return { status: 200, contentType: 'text/plain; charset=utf-8', body: 'ok' };
}

function json(status: number, body: object): ApiAnswer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(body)}\n` };
}

function pageNotFound(): ApiAnswer {
  return { status: 404, contentType: 'text/plain; charset=utf-8', body: '404 page not found\n' };
}

function contentOf({ headers, body }: ApiRequest): { contentType: string; body: Buffer } {
  return { contentType: first(headers['content-type']) ?? '', body };
}

function accepts(accept: string | undefined, contentType: string): boolean {
  if (!accept) return true;
  const [own = ''] = contentType.split(';');
  const [family] = own.split('/');
  // kubectl writes an @, which no media type may have, for one of the dots.
  const ranges = accept.split(',').map((range) => range.split(';')[0]?.trim().replace('@', '.'));
  return ranges.some((range) => range === '*/*' || range === `${family}/*` || range === own);
}

function first(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

function sanitized(message: string): string {
  return message.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
