import type { KubernetesObject } from '../cluster-client/kubernetes-object.ts';

/** The kind `Status`: what an API server answers where there is no object to answer with. */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code?: number;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly retryAfterSeconds?: number;
  readonly causes?: readonly { readonly reason?: string; readonly message: string; readonly field?: string }[];
}

export function isStatus(answer: KubernetesObject | Status): answer is Status {
  return answer.kind === 'Status';
}

/** Thrown anywhere below the HTTP server; its `status` is the answer. */
export class StatusError extends Error {
  readonly status: Status & { readonly code: number };

  constructor(
    code: number,
    reason: string | undefined,
    message: string,
    details?: StatusDetails,
    metadata: Status['metadata'] = {},
  ) {
    super(message);
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata,
      status: 'Failure',
      message,
      ...(reason !== undefined && { reason }),
      ...(details && { details }),
      code,
    };
  }
}

/** `group` is '' for the core API. */
export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

function qualified({ group, resource }: GroupResource): string {
  return group ? `${resource}.${group}` : resource;
}

function detailsOf({ group, resource }: GroupResource, name: string): StatusDetails {
  return { ...(name && { name }), ...(group && { group }), ...(resource && { kind: resource }) };
}

export function success(resource: GroupResource, name: string, uid: string): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { ...detailsOf(resource, name), uid },
  };
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message);
}

export function otherNamespace(): StatusError {
  return badRequest('the namespace of the provided object does not match the namespace sent on the request');
}

export function unauthorized(): StatusError {
  return new StatusError(401, 'Unauthorized', 'Unauthorized');
}

export function forbidden(
  resource: GroupResource,
  name: string,
  why: string,
  causes?: StatusDetails['causes'],
): StatusError {
  const subject = name ? `${qualified(resource)} "${name}" is forbidden` : `${qualified(resource)} is forbidden`;
  const message = resource.resource ? `${subject}: ${why}` : `forbidden: ${why}`;
  return new StatusError(403, 'Forbidden', message, { ...detailsOf(resource, name), ...(causes && { causes }) });
}

export function notFound(resource: GroupResource, name: string): StatusError {
  return new StatusError(404, 'NotFound', `${qualified(resource)} "${name}" not found`, detailsOf(resource, name));
}

/** A path below a known API group that leads nowhere. */
export function noSuchResource(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function methodNotAllowed(): StatusError {
  const message = 'the server does not allow this method on the requested resource';
  return new StatusError(405, 'MethodNotAllowed', message, {});
}

export function notAcceptable(available: string): StatusError {
  const message = `406: Not Acceptable\n\nAvailable representations: ${available}`;
  return new StatusError(406, 'NotAcceptable', message, {});
}

/** What was asked for lies too far back to be known. */
export function expired(message: string): StatusError {
  return new StatusError(410, 'Expired', message);
}

/** A list can go on, but only with what there is now. */
export function expiredContinue(continueToken: string): StatusError {
  const message = [
    'The provided continue parameter is too old to display a consistent list result.',
    'You can start a new list without the continue parameter, or use the continue token in this response to retrieve the',
    'remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were',
    'created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  ].join(' ');
  return new StatusError(410, 'Expired', message, undefined, { continue: continueToken });
}

export function tooLargeVersion(asked: number, current: number): StatusError {
  return new StatusError(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

export function alreadyExists(resource: GroupResource, name: string): StatusError {
  const message = `${qualified(resource)} "${name}" already exists`;
  return new StatusError(409, 'AlreadyExists', message, detailsOf(resource, name));
}

export function conflict(resource: GroupResource, name: string, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`;
  return new StatusError(409, 'Conflict', message, detailsOf(resource, name));
}

export function tooLarge(limit: number): StatusError {
  return new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limit}`);
}

/** A real API server takes YAML too, which it says here, and more kinds as protobuf than the simulated one. */
export function unsupportedMediaType(): StatusError {
  const accepted = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted}`;
  return new StatusError(415, 'UnsupportedMediaType', message);
}

export function unsupportedPatch(): StatusError {
  return new StatusError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
}

export function internalError(error: unknown): StatusError {
  const { message } = error instanceof Error ? error : new Error(String(error));
  return new StatusError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
}

export interface InvalidField {
  readonly field: string;
  readonly reason: 'FieldValueInvalid' | 'FieldValueRequired' | 'FieldValueForbidden' | 'FieldValueNotSupported';
  /** What stands after `field: `, such as `Invalid value: "X": must be …`. */
  readonly message: string;
}

/** `kind` is empty in the answers of the review APIs: they forget the kind before they validate. */
export function invalid(kind: string, group: string, name: string, fields: readonly InvalidField[]): StatusError {
  const problems = [...new Set(fields.map(({ field, message }) => `${field}: ${message}`))];
  const why = problems.length === 1 ? problems.join() : `[${problems.join(', ')}]`;
  return new StatusError(422, 'Invalid', `${group ? `${kind}.${group}` : kind} "${name}" is invalid: ${why}`, {
    ...(name && { name }),
    ...(group && { group }),
    ...(kind && { kind }),
    causes: fields.map(({ field, reason, message }) => ({ reason, message, field })),
  });
}
