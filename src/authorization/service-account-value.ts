import type { ValueRule } from './accepted-values.ts';

/** A ServiceAccount as guards name it: `namespace/name`. */
export const serviceAccountValue: Omit<ValueRule, 'guardName'> = {
  what: 'ServiceAccount',
  faultOf: (value) => (/^[^/:]+\/[^/:]+$/.test(value) ? undefined : 'is not of the form "namespace/name"'),
  of: ({ namespace, name }) => `${namespace}/${name}`,
};
