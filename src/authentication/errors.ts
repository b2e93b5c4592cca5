import { StacklessError } from './stackless-error.ts';

/** The request carries no bearer token that could be looked at. */
export type CredentialsErrorCode = 'no_credentials' | 'malformed_credentials' | 'several_credentials';

/** The bearer token is bad: rejection. */
export type RejectionCode =
  | 'token_too_long'
  | 'token_malformed'
  | 'token_expired'
  | 'token_not_yet_valid'
  | 'wrong_audience'
  | 'token_forged'
  | 'token_refused'
  | 'token_revoked'
  | 'node_not_verified'
  | 'not_a_service_account'
  | 'claims_mismatch';

/** Nobody could say whether the bearer token is good, or whether the caller may do something: unavailability. */
export type UnavailabilityCode =
  | 'configuration_invalid'
  | 'credential_unreadable'
  | 'reviewer_unauthenticated'
  | 'reviewer_forbidden'
  | 'api_server_unreachable'
  | 'api_server_timeout'
  | 'api_server_overloaded'
  | 'api_server_down'
  | 'api_server_error'
  | 'answer_invalid'
  | 'review_queue_full'
  | 'unknown_key_limit'
  | 'peer_limit'
  | 'reviewer_failed'
  | 'evaluation_failed'
  | 'permissions_changing'
  | 'authenticator_closed';

/** Every way a request can fail. `docs/errors.md` says for each what it means. */
export type ErrorCode =
  | CredentialsErrorCode
  | RejectionCode
  | UnavailabilityCode
  | 'attributes_malformed'
  | 'guard_refused'
  | 'middleware_missing';

export type ErrorStatus = 400 | 401 | 403 | 500 | 503;

export const defaultRealm = 'kubernetes';

interface Outcome {
  readonly status: ErrorStatus;
  /** The error code of RFC 6750 section 3.1, where one applies. */
  readonly challenge?: 'invalid_request' | 'invalid_token' | 'insufficient_scope';
  readonly message: string;
}

const noCredentials: Outcome = { status: 401, message: 'A bearer token is required' };
const invalidRequest: Outcome = {
  status: 400,
  challenge: 'invalid_request',
  message: 'The Authorization header is malformed',
};
const invalidToken: Outcome = { status: 401, challenge: 'invalid_token', message: 'The bearer token is not accepted' };
const insufficientScope: Outcome = {
  status: 403,
  challenge: 'insufficient_scope',
  message: 'The calling ServiceAccount may not do this',
};
const malformedAttributes: Outcome = {
  status: 400,
  challenge: 'invalid_request',
  message: 'The request names what cannot exist',
};
const unavailable: Outcome = { status: 503, message: 'The caller could not be verified at the moment' };
const middlewareMissing: Outcome = {
  status: 500,
  message: 'A guard ran before k8sServiceAccountAuth(): app.use() the middleware first',
};

const outcomes: Readonly<Record<ErrorCode, Outcome>> = {
  no_credentials: noCredentials,
  malformed_credentials: invalidRequest,
  several_credentials: invalidRequest,
  token_too_long: invalidToken,
  token_malformed: invalidToken,
  token_expired: invalidToken,
  token_not_yet_valid: invalidToken,
  wrong_audience: invalidToken,
  token_forged: invalidToken,
  token_refused: invalidToken,
  token_revoked: invalidToken,
  node_not_verified: invalidToken,
  not_a_service_account: invalidToken,
  claims_mismatch: invalidToken,
  configuration_invalid: unavailable,
  credential_unreadable: unavailable,
  reviewer_unauthenticated: unavailable,
  reviewer_forbidden: unavailable,
  api_server_unreachable: unavailable,
  api_server_timeout: unavailable,
  api_server_overloaded: unavailable,
  api_server_down: unavailable,
  api_server_error: unavailable,
  answer_invalid: unavailable,
  review_queue_full: unavailable,
  unknown_key_limit: unavailable,
  peer_limit: unavailable,
  reviewer_failed: unavailable,
  evaluation_failed: unavailable,
  permissions_changing: unavailable,
  authenticator_closed: unavailable,
  attributes_malformed: malformedAttributes,
  guard_refused: insufficientScope,
  middleware_missing: middlewareMissing,
};

// Registered, so that two copies of this package know each other's errors.
const brand = Symbol.for('k8s-service-account-auth.error');

export interface ErrorDetails {
  /** The realm of the challenge. Default: `kubernetes`. */
  readonly realm?: string;
  /** For unavailability: after how many seconds to try again. Default: 1. */
  readonly retryAfterSeconds?: number;
}

/**
 * The one error of this library's request path. `code` says exactly what happened and never changes meaning;
 * `status`, `headers` and `expose` are what Express' default error handler needs to render it.
 *
 * Express 5 prints a whole error to stderr and, outside production, its stack to the caller: so this one has a generic
 * message and no stack, no `cause`, nothing of the token and nothing the API server said. Those go to events and the log.
 */
export class ServiceAccountAuthError<Code extends ErrorCode = ErrorCode> extends StacklessError {
  readonly code: Code;
  /** 400, 401, 403, 500 or 503. */
  readonly status: ErrorStatus;
  /** `WWW-Authenticate` (RFC 6750 section 3) or `Retry-After` (RFC 9110 section 10.2.3), where one applies. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether `message` may be shown to the caller. */
  readonly expose: boolean;

  static {
    this.prototype.name = 'ServiceAccountAuthError';
    Object.defineProperty(this.prototype, brand, {});
  }

  constructor(code: Code, details: ErrorDetails = {}) {
    const outcome = outcomes[code];
    const { message, status } = outcome;
    super(message);
    this.code = code;
    this.status = status;
    this.headers = headersOf(outcome, details);
    this.expose = this.status < 500;
  }
}

export function isServiceAccountAuthError(error: unknown): error is ServiceAccountAuthError {
  return error instanceof Error && brand in error;
}

/** The same failure, challenged in another realm. */
export function inRealm<Code extends ErrorCode>(
  error: ServiceAccountAuthError<Code>,
  realm: string,
): ServiceAccountAuthError<Code> {
  // A newer copy may have codes that this one does not know.
  const isOfAnyRealm = error.headers['WWW-Authenticate'] === undefined || !(error.code in outcomes);
  return isOfAnyRealm ? error : new ServiceAccountAuthError(error.code, { realm });
}

function headersOf(outcome: Outcome, details: ErrorDetails): Readonly<Record<string, string>> {
  if (outcome.status === 503) return { 'Retry-After': String(details.retryAfterSeconds ?? 1) };
  if (outcome.status === 500) return {};
  const bare = `Bearer realm="${details.realm ?? defaultRealm}"`;
  if (outcome.challenge === undefined) return { 'WWW-Authenticate': bare };
  return {
    'WWW-Authenticate': `${bare}, error="${outcome.challenge}", error_description="${outcome.message}"`,
  };
}
