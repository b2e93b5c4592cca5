/** So many different ones; then all are forgotten, and what comes later is shared anew. */
const maxValues = 10_000;
/** What is longer is rare, and not worth keeping. */
const maxLength = 1_024;

const values = new Map<string, unknown>();

/**
 * One frozen value in the place of all that are equal. For what many identities have in common, such as the names of
 * ServiceAccounts and Nodes, and lists of groups: a cache of many identities holds them once.
 */
export function sharedValue<Value extends string | object>(value: Value): Value {
  const key = JSON.stringify(value);
  if (key.length > maxLength) return Object.freeze(value);
  const known = values.get(key) as Value | undefined;
  if (known !== undefined) return known;
  if (values.size >= maxValues) values.clear();
  values.set(key, Object.freeze(value));
  return value;
}
