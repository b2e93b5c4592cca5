import { z } from 'zod';
import { Unavailability } from '../authentication/reviewer.ts';
import type { ServiceAccountIdentity } from '../authentication/service-account-identity.ts';
import type { AccessAttributes } from '../authorization/access-attributes.ts';
import type { AccessReview } from '../authorization/access-reviewer.ts';
import { scrub } from './scrub.ts';

/** The body of a SubjectAccessReview request. */
export interface SubjectAccessReviewRequest {
  readonly apiVersion: 'authorization.k8s.io/v1';
  readonly kind: 'SubjectAccessReview';
  readonly spec: {
    readonly user: string;
    readonly uid: string;
    readonly groups: readonly string[];
    readonly extra: Readonly<Record<string, readonly string[]>>;
    readonly resourceAttributes?: AccessAttributes;
    readonly nonResourceAttributes?: AccessAttributes;
  };
}

export function subjectAccessReviewRequest(
  { username, uid, groups, extra }: ServiceAccountIdentity,
  attributes: AccessAttributes,
): SubjectAccessReviewRequest {
  return {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: username,
      uid,
      groups,
      extra,
      ...('path' in attributes ? { nonResourceAttributes: attributes } : { resourceAttributes: attributes }),
    },
  };
}

const text = z.string().default('');
/** Go leaves out what is empty, but `allowed` is always there. */
const subjectAccessReviewSchema = z.object({
  apiVersion: z.literal('authorization.k8s.io/v1').optional(),
  kind: z.literal('SubjectAccessReview').optional(),
  status: z.object({
    allowed: z.boolean(),
    denied: z.boolean().default(false),
    reason: text,
    evaluationError: text,
  }),
});

/**
 * What an answered SubjectAccessReview says, its types checked. An error of an authorizer does not undo that another one
 * allowed; but what nobody allowed while one of them failed is not known.
 *
 * @throws {Unavailability} `answer_invalid`, `evaluation_failed`
 */
export function accessReviewOf(answer: unknown): AccessReview {
  const parsed = subjectAccessReviewSchema.safeParse(answer);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = scrub(issue?.path.map(String).join('.') ?? '');
    throw new Unavailability('answer_invalid', `The answer is no SubjectAccessReview: ${where}: ${issue?.code}`);
  }
  const { allowed, denied, reason, evaluationError } = parsed.data.status;
  if (allowed && denied) {
    throw new Unavailability('answer_invalid', 'The answer says both allowed and denied');
  }
  if (!allowed && !denied && evaluationError !== '') {
    throw new Unavailability(
      'evaluation_failed',
      `An authorizer of the cluster could not decide: ${scrub(evaluationError)}`,
    );
  }
  return { allowed, reason: scrub(reason) };
}
