import type { LabelSelector } from '../cluster-client/kubernetes-object.ts';

type Labels = Readonly<Record<string, string>>;

/** A selector of an object's specification; an empty one selects all. */
export function matchesLabelSelector({ matchLabels, matchExpressions }: LabelSelector, labels: Labels = {}): boolean {
  return (
    Object.entries(matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
    (matchExpressions ?? []).every(({ key, operator, values }) => holds(labels[key], operator, values ?? []))
  );
}

function holds(value: string | undefined, operator: string, values: readonly string[]): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    default:
      return value === undefined;
  }
}
