import { z } from 'zod';
import type { Attributes } from '../cluster-client/access.ts';
import { decode } from './decode.ts';
import type { Decision } from './authorize.ts';
import type { VersionTraits } from './kubernetes-version.ts';
import { badRequest, invalid, type InvalidField } from './status.ts';
import type { User } from './user.ts';

/** Go leaves out what is empty when it writes the spec back. */
const optionalText = z
  .string()
  .transform((text) => text || undefined)
  .optional();
const attributesSchema = {
  resourceAttributes: z
    .object({
      namespace: optionalText,
      verb: optionalText,
      group: optionalText,
      version: optionalText,
      resource: optionalText,
      subresource: optionalText,
      name: optionalText,
    })
    .optional(),
  nonResourceAttributes: z.object({ path: optionalText, verb: optionalText }).optional(),
};
const selfSchema = z.object({ spec: z.looseObject(attributesSchema).optional() });
const schema = z.object({
  spec: z
    .looseObject({
      ...attributesSchema,
      user: optionalText,
      uid: optionalText,
      groups: z
        .array(z.string())
        .transform((groups) => (groups.length > 0 ? groups : undefined))
        .optional(),
    })
    .optional(),
});

type Spec = NonNullable<z.output<typeof schema>['spec']>;
type Decide = (user: User, attributes: Attributes) => Decision;

/** POST /apis/authorization.k8s.io/v1/subjectaccessreviews */
export function reviewSubjectAccess(decide: Decide, version: VersionTraits, body: unknown): object {
  const { spec = {} } = decode(schema, 'SubjectAccessReview', body);
  const { user = '', groups = [] } = spec;
  const who: InvalidField = {
    field: 'spec.user',
    reason: 'FieldValueInvalid',
    message: 'Invalid value: "": at least one of user or group must be specified',
  };
  const attributes = attributesOf(spec, version, user || groups.length > 0 ? [] : [who]);
  return answer('SubjectAccessReview', version, spec, decide({ username: user, groups }, attributes));
}

/** POST /apis/authorization.k8s.io/v1/namespaces/NAMESPACE/localsubjectaccessreviews */
export function reviewLocalAccess(decide: Decide, version: VersionTraits, namespace: string, body: unknown): object {
  const { spec } = decode(schema, 'LocalSubjectAccessReview', body);
  if (spec?.resourceAttributes && (spec.resourceAttributes.namespace ?? '') !== namespace) {
    const asked = spec.resourceAttributes.namespace ?? '';
    throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${namespace}, not ${asked}`);
  }
  const review = reviewSubjectAccess(decide, version, body);
  return { ...review, kind: 'LocalSubjectAccessReview', metadata: { ...version.unstoredMetadata, namespace } };
}

/** POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews */
export function reviewOwnAccess(decide: Decide, version: VersionTraits, caller: User, body: unknown): object {
  const { spec = {} } = decode(selfSchema, 'SelfSubjectAccessReview', body);
  return answer('SelfSubjectAccessReview', version, spec, decide(caller, attributesOf(spec, version, [])));
}

/** Throws Kubernetes' 422 unless there is exactly one kind of attributes. */
function attributesOf(spec: Spec, version: VersionTraits, problems: readonly InvalidField[]): Attributes {
  const { resourceAttributes: resource, nonResourceAttributes: nonResource } = spec;
  const all = [...whatIsWrongWith(spec, version), ...problems];
  if (all.length > 0) throw invalid('', 'authorization.k8s.io', '', all);
  if (nonResource) return { path: nonResource.path ?? '', verb: nonResource.verb ?? '' };
  const { verb = '', group = '', namespace = '', name = '', subresource = '' } = resource ?? {};
  return { verb, group, resource: resource?.resource ?? '', subresource, namespace, name };
}

function whatIsWrongWith(
  { resourceAttributes, nonResourceAttributes }: Spec,
  { attributesProblems: { neither, both } }: VersionTraits,
): InvalidField[] {
  if (resourceAttributes && nonResourceAttributes) {
    const { path = '', verb = '' } = nonResourceAttributes;
    return [{ reason: 'FieldValueInvalid', ...both(path, verb) }];
  }
  return resourceAttributes || nonResourceAttributes ? [] : [{ reason: 'FieldValueInvalid', ...neither }];
}

function answer(kind: string, version: VersionTraits, spec: object, { allowed, reason }: Decision): object {
  return {
    kind,
    apiVersion: 'authorization.k8s.io/v1',
    metadata: version.unstoredMetadata,
    spec,
    status: { allowed, ...(reason && { reason }) },
  };
}
