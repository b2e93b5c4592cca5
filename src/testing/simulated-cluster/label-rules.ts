import { SUBDOMAIN, SUBDOMAIN_RULE } from './names.ts';

const MAX_BYTES = 63;
const NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const NAME_FORMAT = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const CONSIST =
  "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const KEY_RULE = `must ${CONSIST} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${NAME_FORMAT}')`;
const VALUE_RULE = `a valid label must be an empty string or ${CONSIST} (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(${NAME_FORMAT})?')`;
const TOO_LONG = `must be no more than ${MAX_BYTES} bytes`;
const EMPTY = 'must be non-empty';

/** Why a label may not have this key, in Kubernetes' words. */
export function labelKeyProblems(key: string): string[] {
  const slash = key.lastIndexOf('/');
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  if (prefix?.includes('/')) {
    return [`a valid label key ${KEY_RULE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  return [
    ...(prefix === '' ? [`prefix part ${EMPTY}`] : []),
    ...(prefix && !SUBDOMAIN.test(prefix) ? [`prefix part ${SUBDOMAIN_RULE}`] : []),
    ...(name === '' ? [`name part ${EMPTY}`] : []),
    ...(name.length > MAX_BYTES ? [`name part ${TOO_LONG}`] : []),
    ...(NAME.test(name) ? [] : [`name part ${KEY_RULE}`]),
  ];
}

/** Why a label may not have this value, in Kubernetes' words. */
export function labelValueProblems(value: string): string[] {
  return [...(value.length > MAX_BYTES ? [TOO_LONG] : []), ...(value === '' || NAME.test(value) ? [] : [VALUE_RULE])];
}
