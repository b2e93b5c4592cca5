import type { ServiceAccountIdentity } from '../authentication/service-account-identity.ts';
import { acceptedValuesRule } from './accepted-values.ts';
import type { CallingPod } from './calling-pod.ts';
import { labelKeyProblems, labelValueProblems } from './label-rules.ts';
import { hasLabels, type Labels, parseLabelSelector } from './label-selector.ts';
import type { Rule } from './rule.ts';
import { serviceAccountValue } from './service-account-value.ts';

/** What `requireBoundPod` asks of the calling Pod. Of several values one must match; of several conditions all. */
export interface PodConditions {
  /**
   * Labels that the Pod must have, or a selector in Kubernetes' syntax: `'app in (web, api), !canary'`. The labels are those
   * that the Pod had when its token was last reviewed, or later.
   */
  readonly labels?: Labels | string;
  /** The Pod's name. */
  readonly name?: string | readonly string[];
  /** The namespace of Pod and ServiceAccount, which is one. */
  readonly namespace?: string | readonly string[];
  /** `namespace/name`. */
  readonly serviceAccount?: string | readonly string[];
  /** The Node that the token names (Kubernetes 1.30 or newer). */
  readonly node?: string | readonly string[];
}

export const podConditionNames = ['labels', 'name', 'namespace', 'serviceAccount', 'node'] as const;

const identityConditions = {
  name: { what: 'Pod', of: ({ pod }: ServiceAccountIdentity) => [pod?.name] },
  namespace: { what: 'namespace', of: ({ namespace }: ServiceAccountIdentity) => [namespace] },
  serviceAccount: serviceAccountValue,
  node: { what: 'Node', of: ({ node }: ServiceAccountIdentity) => [node?.name] },
} as const;

/**
 * The conditions that the identity alone can meet.
 *
 * @throws {TypeError} for an empty or undefined value, or one that can never match
 */
export function identityRules(guardName: string, conditions: PodConditions): readonly Rule<never>[] {
  return (['name', 'namespace', 'serviceAccount', 'node'] as const)
    .filter((key) => Object.hasOwn(conditions, key))
    .map((key) =>
      acceptedValuesRule<never>({ guardName, ...identityConditions[key] }, [conditions[key] as string | string[]]),
    );
}

export interface LabelCondition {
  readonly description: string;
  readonly isMetBy: (pod: CallingPod) => boolean;
}

/**
 * The condition on labels.
 *
 * @throws {TypeError} for a selector that is wrong or selects everything, and for what can be no label
 */
export function labelCondition(guardName: string, labels: Labels | string): LabelCondition {
  const wrong = (why: string): TypeError => new TypeError(`${guardName}: the option "labels" is wrong: ${why}`);
  const text = typeof labels === 'string' ? labels.trim() : textOf(labels, wrong);
  if (text === '') throw wrong('it is empty, which any Pod would match');
  const description = `labels ${text}`;
  if (typeof labels !== 'string') return { description, isMetBy: (pod) => hasLabels(labels, pod.labels) };
  try {
    const selects = parseLabelSelector(labels);
    return { description, isMetBy: (pod) => selects(pod.labels) };
  } catch (error) {
    throw wrong((error as TypeError).message);
  }
}

function textOf(labels: unknown, wrong: (why: string) => TypeError): string {
  if (typeof labels !== 'object' || labels === null || Array.isArray(labels)) {
    throw wrong('expected a selector, or an object of labels');
  }
  const pairs = Object.entries(labels).map(([key, value]: [string, unknown]) => {
    if (typeof value !== 'string') throw wrong(`${key} is ${typeof value}. Is an environment variable missing?`);
    const [problem] = [...labelKeyProblems(key), ...labelValueProblems(value)];
    if (problem !== undefined) throw wrong(`${key}=${value}: ${problem}`);
    return `${key}=${value}`;
  });
  return pairs.join();
}
